import Foundation

/// SplitMix64, so that a failing case can be run again from its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// A small pipeline with its files, as a user would have them.
struct RandomGraph {
    struct Node {
        var name: String
        var type: String
        /// References are `stage.output`.
        var inputs: [(role: String, references: [String])] = []
        var parameters: [(name: String, value: Int)] = []
        /// A parameter that names a file.
        var file: (parameter: String, path: String)?
        /// Values of `by` that the stage is fanned out over.
        var matrix: [Int]?
        /// Whether `role` takes a list.
        var isList: Bool { type == "sum" || type == "merge" }
    }

    var name = "graph"
    var nodes: [Node] = []
    /// Contents by path.
    var files: [String: String] = [:]

    init(_ random: inout SeededGenerator) {
        var numbers: [String] = []
        var families: [String] = []
        var totals: [String] = []
        var bundles: [String] = []
        for index in 0..<3 + random.below(7) {
            let name = "s\(index)"
            func any() -> String { numbers.randomElement(using: &random)! }
            func several() -> [String] {
                (0...random.below(3)).map { _ in
                    families.isEmpty || !random.chance(40) ? any() : families.randomElement(using: &random)!
                }
            }
            var node = Node(name: name, type: "rows")
            switch index == 0 ? 0 : random.below(12) {
            case 0, 1:
                node.file = ("path", "data\(index).txt")
                node.parameters = [("shard-records", 1 + random.below(4))]
                files["data\(index).txt"] = RandomGraph.rows(&random)
                numbers.append("\(name).numbers")
            case 2, 3, 4:
                node.type = "shift"
                node.inputs = [("numbers", [any()])]
                if random.chance(50) { node.inputs.append(("others", [any()])) }
                if random.chance(30) {
                    node.matrix = [-random.below(4), 1 + random.below(4)]
                    families += ["\(name).positive", "\(name).negative"]
                } else {
                    node.parameters = [("by", random.below(7) - 3)]
                    numbers += ["\(name).positive", "\(name).negative"]
                }
            case 5:
                node.type = "reword"
                node.inputs = [("numbers", [any()])]
                node.file = ("prompt", "prompt\(index).txt")
                files["prompt\(index).txt"] = "Answer.\nThink \(random.below(10)) times.\n"
                numbers.append("\(name).numbers")
            case 6, 7:
                node.type = "sum"
                node.inputs = [("numbers", several())]
                node.parameters = [("modulo", [1, 5, 1_000_003][random.below(3)])]
                totals.append("\(name).total")
            case 8 where !totals.isEmpty:
                node.type = "scale"
                node.inputs = [("numbers", [any()]), ("factor", [totals.randomElement(using: &random)!])]
                numbers.append("\(name).numbers")
            case 9:
                node.type = "bundle"
                node.inputs = [("numbers", [any()])]
                bundles.append("\(name).files")
            case 10 where !bundles.isEmpty:
                node.type = "unpack"
                node.inputs = [("numbers", [any()]), ("files", [bundles.randomElement(using: &random)!])]
                numbers.append("\(name).numbers")
            default:
                node.type = "merge"
                node.inputs = [("numbers", several())]
                node.parameters = [("shard-records", 1 + random.below(6))]
                numbers.append("\(name).numbers")
            }
            nodes.append(node)
        }
    }

    private static func rows(_ random: inout SeededGenerator) -> String {
        let ids = (0..<14).filter { _ in random.chance(60) }
        return ids.map { "n\($0) \(random.below(13) - 6)\n" }.joined()
    }

    /// The pipeline file; the order of its keys is up to `random`.
    func yaml(_ random: inout SeededGenerator) -> String {
        var lines = ["retort: 1", "name: \(name)", "stages:"]
        for node in nodes.shuffled(using: &random) {
            lines.append("  \(node.name):")
            var parts = ["uses: \(node.type)"]
            if !node.inputs.isEmpty {
                let inputs = node.inputs.shuffled(using: &random).map { role, references in
                    "\(role): " + (node.isList ? "[\(references.joined(separator: ", "))]" : references[0])
                }
                parts.append("inputs: { \(inputs.joined(separator: ", ")) }")
            }
            var with = node.parameters.map { "\($0.name): \($0.value)" }
            if let file = node.file { with.append("\(file.parameter): \(file.path)") }
            if let matrix = node.matrix {
                parts.append("matrix: { by: [\(matrix.map(String.init).joined(separator: ", "))] }")
                with.append("by: ${matrix.by}")
            }
            if !with.isEmpty { parts.append("with: { \(with.shuffled(using: &random).joined(separator: ", ")) }") }
            lines += parts.shuffled(using: &random).map { "    \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
