import ContentStore

/// What a graph's stages make, and which actions that takes: slowly, from the definitions, without any of the engine.
///
/// Bit prefixes are texts of zeros and ones, shards are dictionaries, and a key is a text with everything in it that may
/// decide a result, contents included.
struct GraphOracle {
    enum Content: Equatable {
        /// By prefix; no shard is empty.
        case shards([String: [String: Int]])
        case files([String: String])
    }

    private struct Output {
        var content: Content
        /// How a map stage behind it is cut: also prefixes whose shard came out empty.
        var partition: [String]
    }

    /// By stage and output.
    private(set) var contents: [String: Content] = [:]
    /// The keys of all actions.
    private(set) var keys: Set<String> = []
    private var outputs: [String: Output] = [:]
    /// The names a reference stands for: those of all variants.
    private var variants: [String: [String]] = [:]

    init(_ graph: RandomGraph) {
        for node in graph.nodes {
            for by in node.matrix ?? [0] {
                let name = node.matrix == nil ? node.name : "\(node.name)[by=\(by)]"
                variants[node.name, default: []].append(name)
                var node = node
                if node.matrix != nil { node.parameters = [("by", by)] }
                evaluate(node, as: name, graph)
            }
        }
        contents = outputs.mapValues(\.content)
    }

    private func resolve(_ reference: String) -> [String] {
        let parts = reference.split(separator: ".")
        return variants[String(parts[0])]!.map { "\($0).\(parts[1])" }
    }

    private func value(_ node: RandomGraph.Node, _ parameter: String) -> Int {
        node.parameters.first { $0.name == parameter }!.value
    }

    private mutating func evaluate(_ node: RandomGraph.Node, as name: String, _ graph: RandomGraph) {
        // In the order of the ports; a list's elements by position.
        let order = ["numbers", "others", "factor", "files"]
        let inputs = order.flatMap { port -> [(role: String, output: Output)] in
            guard let input = node.inputs.first(where: { $0.role == port }) else { return [] }
            let references = input.references.flatMap(resolve)
            return references.enumerated().map { index, reference in
                (node.isList ? "\(port)[\(index)]" : port, outputs[reference]!)
            }
        }
        let text = node.file.map { graph.files[$0.path]! } ?? ""
        let base = "\(node.type) \(node.parameters.map { "\($0.name)=\($0.value)" }.sorted()) <\(text)>"
        if ["shift", "reword", "scale", "unpack"].contains(node.type) {
            evaluateMap(node, name, base, text, inputs)
        } else {
            keys.insert(base + inputs.map { " \($0.role)=\(whole($0.output))" }.sorted().joined())
            evaluateWhole(node, name, text, inputs.map(\.output.content))
        }
    }

    /// Everything in an artifact.
    private func whole(_ output: Output) -> String {
        switch output.content {
        case .shards(let shards): "\(shards.sorted { $0.key < $1.key }.map { "\($0.key):\(line($0.value))" })"
        case .files(let files): "\(files.sorted { $0.key < $1.key })"
        }
    }

    private func line(_ records: [String: Int]) -> String {
        records.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ";")
    }

    private mutating func evaluateWhole(
        _ node: RandomGraph.Node, _ name: String, _ text: String, _ inputs: [Content]
    ) {
        var records: [String: Int] = [:]
        for case .shards(let shards) in inputs {
            for shard in shards.values { records.merge(shard, uniquingKeysWith: +) }
        }
        func put(_ output: String, _ records: [String: Int], _ limit: Int) {
            let shards = GraphOracle.shards(records, limit: limit)
            outputs["\(name).\(output)"] = Output(content: .shards(shards), partition: shards.keys.sorted())
        }
        switch node.type {
        case "rows":
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: " ")
                records[String(parts[0])] = Int(parts[1])!
            }
            put("numbers", records, value(node, "shard-records"))
        case "merge": put("numbers", records, value(node, "shard-records"))
        case "sum":
            let modulo = value(node, "modulo")
            put("total", ["total": (records.values.reduce(0, +) % modulo + modulo) % modulo], 512)
        default:
            let lines = records.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
            outputs["\(name).files"] = Output(
                content: .files(["count.txt": "\(records.count)", "all/values.txt": lines.joined()]), partition: [])
        }
    }

    private mutating func evaluateMap(
        _ node: RandomGraph.Node, _ name: String, _ base: String, _ text: String,
        _ inputs: [(role: String, output: Output)]
    ) {
        let sharded = inputs.filter { $0.role == "numbers" || $0.role == "others" }
        let beside = inputs.filter { $0.role == "factor" || $0.role == "files" }
        let names = node.type == "shift" ? ["positive", "negative"] : ["numbers"]
        let prefixes = Set(sharded.flatMap(\.output.partition))
        let tasks = prefixes.filter { prefix in
            !prefixes.contains { $0 != prefix && prefix.hasPrefix($0) }
        }.sorted()
        var made: [String: [String: [String: Int]]] = [:]
        for task in tasks {
            let parts = sharded.map { role, output -> (role: String, shards: [[String: Int]]) in
                guard case .shards(let shards) = output.content else { return (role, []) }
                return (role, shards.filter { $0.key.hasPrefix(task) }.sorted { $0.key < $1.key }.map(\.value))
            }
            guard parts.contains(where: { !$0.shards.isEmpty }) else { continue }
            keys.insert(
                "\(base) at \(task)" + parts.map { " \($0.role)=\($0.shards.map(line))" }.joined()
                    + beside.map { " \($0.role)=\(whole($0.output))" }.joined())
            for (output, records) in apply(node, text, parts.map(\.shards), beside.map(\.output.content))
            where !records.isEmpty {
                made[output, default: [:]][task] = records
            }
        }
        for output in names {
            outputs["\(name).\(output)"] = Output(content: .shards(made[output] ?? [:]), partition: tasks)
        }
    }

    private func apply(
        _ node: RandomGraph.Node, _ text: String, _ sharded: [[[String: Int]]], _ beside: [Content]
    ) -> [String: [String: Int]] {
        var records: [String: Int] = [:]
        for shard in sharded.joined() { records.merge(shard, uniquingKeysWith: +) }
        switch node.type {
        case "shift":
            let shifted = records.mapValues { $0 + value(node, "by") }
            return ["positive": shifted.filter { $0.value > 0 }, "negative": shifted.filter { $0.value < 0 }]
        case "reword":
            let shift = text.utf8.reduce(0) { $0 + Int($1) } % 97
            return ["numbers": records.mapValues { $0 + shift }]
        case "scale":
            guard case .shards(let shards)? = beside.first else { return [:] }
            let factor = shards.values.first!["total"]!
            return ["numbers": records.mapValues { $0 * factor % 1009 }]
        default:
            var count = 0
            if case .files(let files)? = beside.first { count = Int(files["count.txt"]!)! }
            return ["numbers": records.mapValues { $0 + count }]
        }
    }

    /// Halves a set until each part is small enough.
    private static func shards(
        _ records: [String: Int], limit: Int, prefix: String = ""
    ) -> [String: [String: Int]] {
        if records.isEmpty { return [:] }
        if records.count <= limit { return [prefix: records] }
        func half(_ bit: String) -> [String: [String: Int]] {
            let part = records.filter { bits($0.key).hasPrefix(prefix + bit) }
            return shards(part, limit: limit, prefix: prefix + bit)
        }
        return half("0").merging(half("1")) { a, _ in a }
    }

    private static func bits(_ id: String) -> String {
        Digest(of: id).bytes.prefix(8).map { byte in
            String(repeating: "0", count: byte.leadingZeroBitCount) + (byte == 0 ? "" : String(byte, radix: 2))
        }.joined()
    }
}
