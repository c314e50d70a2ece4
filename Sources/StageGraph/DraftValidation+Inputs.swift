import ContentStore

/// A stage another one takes an input from, and where it says so.
struct Dependency {
    var stage: Int
    var location: SourceLocation?
}

/// The stages of a draft by name and by family.
struct StageIndex {
    /// The first stage of a name.
    private(set) var byName: [String: Int] = [:]
    /// The variants of a matrix in the order of the draft.
    private(set) var families: [String: [Int]] = [:]
    let names: [StageName?]

    /// What a reference may name: each stage, and each family once.
    private(set) var referable: [String] = []

    init(_ written: [String]) {
        names = written.map { StageName($0) }
        for (index, name) in written.enumerated() where byName[name] == nil {
            byName[name] = index
            referable.append(name)
            guard let parsed = names[index], !parsed.coordinates.isEmpty else { continue }
            if families[parsed.family] == nil { referable.append(parsed.family) }
            families[parsed.family, default: []].append(index)
        }
    }
}

extension DraftValidation {
    /// One written reference, resolved.
    private struct Target {
        let stage: Int
        /// Nil when the stage's type is unknown or its output is: a mistake reported elsewhere.
        let output: OutputPort?
        /// What tells this variant from the others the reference stands for.
        let suffix: String
        let location: SourceLocation?
    }

    /// The inputs of a stage. `bindings` is nil when some of them have mistakes; `dependencies` holds what is known.
    mutating func inputs(of index: Int) -> (bindings: [InputBinding]?, dependencies: [Dependency]) {
        let stage = draft.stages[index]
        let signature = signatures[index]
        var dependencies: [Dependency] = []
        var bindings: [InputBinding] = []
        var isComplete = !stage.unread.inputs && signature != nil
        var given: Set<String> = []
        /// Ports that are missing only because they are misspelt.
        var misspelt: Set<String> = []
        for (role, references) in stage.inputs {
            let targets = references.map { self.targets($0, of: index) }
            dependencies += targets.flatMap { $0 ?? [] }.map { Dependency(stage: $0.stage, location: $0.location) }
            guard let signature else { continue }
            guard given.insert(role.value).inserted else {
                report("input \"\(role.value)\" is given twice", at: role.location)
                isComplete = false
                continue
            }
            guard let port = port(for: role, of: signature, misspelt: &misspelt),
                let bound = bind(role, targets, to: port, signature, count: references.count)
            else {
                isComplete = false
                continue
            }
            bindings += bound
        }
        guard let signature, !stage.unread.inputs else { return (nil, dependencies) }
        for port in signature.inputs where port.isRequired {
            guard !given.contains(port.name), !misspelt.contains(port.name) else { continue }
            report(
                "missing input \"\(port.name)\" of stage type \(signature.name): \(port.expectation)",
                at: stage.uses.location ?? stage.name.location)
            isComplete = false
        }
        return (isComplete ? bindings.inOrder(of: signature.inputs) : nil, dependencies)
    }

    private mutating func port(
        for role: Located<String>, of signature: StageSignature, misspelt: inout Set<String>
    ) -> InputPort? {
        if let port = signature.input(role.value) { return port }
        if let port = signature.inputs.first(where: { $0.arity == .named }) {
            if StageName.isWord(role.value) { return port }
            report("the input name \(StageName.rule(role.value))", at: role.location)
            return nil
        }
        let known = signature.inputs.map(\.name)
        if let meant = nearestName(to: role.value, among: known) { misspelt.insert(meant) }
        let hint = known.isEmpty ? "; it takes none" : suggest(role.value, among: known, label: "It takes")
        report("unknown input \"\(role.value)\" of stage type \(signature.name)\(hint)", at: role.location)
        return nil
    }

    /// The bindings of one role, or nil with the mistakes noted.
    private mutating func bind(
        _ role: Located<String>, _ targets: [[Target]?], to port: InputPort, _ signature: StageSignature, count: Int
    ) -> [InputBinding]? {
        var bindings: [InputBinding] = []
        var isComplete = true
        let all = targets.flatMap { $0 ?? [] }
        let input = "input \"\(role.value)\" of stage type \(signature.name)"
        if count == 0 {
            report("\(input) has no reference", at: role.location)
            return nil
        }
        if count > 1, port.arity != .list {
            report("\(input) takes one reference, found \(count)", at: role.location)
            return nil
        }
        if all.count > 1, port.arity == .one || port.arity == .optional {
            let names = all.map { draft.stages[$0.stage].name.value }
            let shown = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", …" : "")
            report(
                "\(input) takes one artifact, but this stands for \(all.count) stages (\(shown)): "
                    + "name one of them, or give this stage the same matrix", at: all[0].location)
            return nil
        }
        if targets.contains(where: { $0 == nil }) { isComplete = false }
        for (position, target) in all.enumerated() {
            guard let output = target.output else {
                isComplete = false
                continue
            }
            let source = OutputReference(stage: draft.stages[target.stage].name.value, output: output.name)
            guard output.type == port.type else {
                let producer = draft.stages[target.stage].uses.value
                report(
                    "\(input) takes \(port.type), but \(source) is \(output.type) "
                        + "(port \"\(port.name)\" of \(signature.name), output \"\(output.name)\" of \(producer))",
                    at: target.location)
                isComplete = false
                continue
            }
            let name =
                switch port.arity {
                case .one, .optional: port.name
                case .list: "\(port.name)[\(position)]"
                case .named: role.value + target.suffix
                }
            bindings.append(InputBinding(role: name, port: port, source: source))
        }
        return isComplete ? bindings : nil
    }

    /// What a written reference stands for; nil when it is mistaken.
    private mutating func targets(_ reference: Located<String>, of consumer: Int) -> [Target]? {
        let (written, output) = splitReference(reference.value)
        let stages: [(stage: Int, suffix: String)]
        if let stage = names.byName[written] {
            stages = [(stage, "")]
        } else if let family = names.families[written] {
            stages = variants(of: family, for: consumer)
            if stages.isEmpty {
                let known = family.map { draft.stages[$0].name.value }
                report(
                    "no variant of \"\(written)\" has the matrix values of this stage; "
                        + "there are \(known.prefix(6).joined(separator: ", "))\(known.count > 6 ? ", …" : "")",
                    at: reference.location)
                return nil
            }
        } else {
            let hint = suggest(written, among: names.referable, label: "Stages")
            report("unknown stage \"\(written)\"\(hint)", at: reference.location)
            return nil
        }
        return stages.map { stage, suffix in
            Target(
                stage: stage, output: self.output(output, of: stage, written: written, at: reference.location),
                suffix: suffix, location: reference.location)
        }
    }

    /// The variants that agree with the consumer on every axis both have; the other axes tell them apart.
    private func variants(of family: [Int], for consumer: Int) -> [(stage: Int, suffix: String)] {
        let own = names.names[consumer]?.coordinates ?? []
        return family.compactMap { index in
            var rest: [StageName.Coordinate] = []
            for coordinate in names.names[index]?.coordinates ?? [] {
                guard let mine = own.first(where: { $0.axis == coordinate.axis }) else {
                    rest.append(coordinate)
                    continue
                }
                guard mine.value == coordinate.value else { return nil }
            }
            return (index, StageName.suffix(rest))
        }
    }

    private mutating func output(
        _ name: String?, of index: Int, written: String, at location: SourceLocation?
    ) -> OutputPort? {
        guard let signature = signatures[index] else { return nil }
        let known = signature.outputs.map(\.name)
        guard let name else {
            if signature.outputs.count == 1 { return signature.outputs[0] }
            report(
                signature.outputs.isEmpty
                    ? "stage \"\(written)\" (\(signature.name)) has no output"
                    : "stage \"\(written)\" (\(signature.name)) has several outputs: write "
                        + "\(known.map { "\(written).\($0)" }.joined(separator: " or "))", at: location)
            return nil
        }
        if let port = signature.output(name) { return port }
        let hint = suggest(name, among: known, label: "It has")
        report("stage \"\(written)\" (\(signature.name)) has no output \"\(name)\"\(hint)", at: location)
        return nil
    }
}

/// `stage.output` taken apart; a dot inside the brackets of a variant's name belongs to the name.
private func splitReference(_ text: String) -> (stage: String, output: String?) {
    let start = text.lastIndex(of: "]") ?? text.startIndex
    guard let dot = text[start...].firstIndex(of: ".") else { return (text, nil) }
    return (String(text[..<dot]), String(text[text.index(after: dot)...]))
}

extension InputPort {
    fileprivate var isRequired: Bool {
        switch arity {
        case .one, .list: true
        case .optional, .named: false
        }
    }

    fileprivate var expectation: String { arity == .list ? "a list of \(type)" : "\(type)" }
}

extension [InputBinding] {
    /// Sorted by port, each port's bindings as written.
    fileprivate func inOrder(of ports: [InputPort]) -> [InputBinding] {
        guard ports.count > 1 else { return self }
        return ports.flatMap { port in filter { $0.port.name == port.name } }
    }
}
