import CanonicalJSON
import StageGraph

/// Makes stage drafts of the entries under `stages:`; one with a matrix becomes one draft a variant.
struct StageReader {
    typealias Axis = (name: Located<String>, values: [Variable])

    static let maximumVariants = 10_000

    private(set) var substitution: Substitution
    /// The mistakes besides those of ``substitution``.
    private(set) var ownDiagnostics: [Diagnostic] = []
    /// Axes with several values that no stage of theirs mentions.
    private(set) var idleAxes: [IdleAxis] = []

    init(_ substitution: Substitution) {
        self.substitution = substitution
    }

    mutating func stages(_ name: Located<String>, _ node: YAMLNode) -> [StageDraft] {
        var unread = StageDraft(name: name, uses: Located("", at: name.location))
        unread.unread.uses = true
        guard StageName.isWord(name.value) else {
            report("the stage name \(StageName.rule(name.value))", name.location)
            return []
        }
        guard case .mapping(let members) = node.content else {
            if !node.isUnreadable {
                report("stage \"\(name.value)\" takes a mapping with \"uses\", found \(node.found)", node.location)
            }
            return [unread]
        }
        let section = Section(
            members, known: ["uses", "inputs", "with", "matrix"], required: ["uses"],
            owner: "stage \"\(name.value)\"", at: name.location ?? node.location)
        ownDiagnostics += section.diagnostics
        guard let matrix = section["matrix"] else { return [stage(name, section)] }
        guard let axes = axes(matrix) else { return [unread] }
        substitution.usedAxes = []
        defer {
            idleAxes += axes.filter { $0.values.count > 1 && !substitution.usedAxes.contains($0.name.value) }
                .map { IdleAxis(family: name.value, axis: $0.name) }
        }
        return variants(of: axes).map { variant in
            substitution.matrix = variant.map { ($0.axis, $0.variable) }
            defer { substitution.matrix = nil }
            let coordinates = variant.map { StageName.Coordinate(axis: $0.axis, value: $0.variable.value.text ?? "") }
            let full = StageName(family: name.value, coordinates: coordinates).description
            return stage(Located(full, at: name.location), section)
        }
    }

    private mutating func stage(_ name: Located<String>, _ section: Section) -> StageDraft {
        var draft = StageDraft(name: name, uses: Located("", at: name.location))
        if let node = section["uses"], let uses = text(node, "\"uses\" takes the name of a stage type") {
            draft.uses = uses
        } else {
            draft.unread.uses = true
        }
        if let node = section["inputs"] { readInputs(node, into: &draft) }
        if let node = section["with"] { readParameters(node, into: &draft) }
        return draft
    }

    private mutating func readParameters(_ node: YAMLNode, into draft: inout StageDraft) {
        let value = substitution.value(node)
        switch value.value.unwrapped {
        case .mapping(let members):
            let origin = value.value.origin
            draft.parameters = members.map { key, member in
                (key, Located(origin.map { .substituted(member.value, from: $0) } ?? member.value, at: member.location))
            }
        case .scalar(.null): break
        case .unreadable: draft.unread.parameters = true
        default:
            report("\"with\" takes a mapping from parameters to values, found \(node.found)", node.location)
            draft.unread.parameters = true
        }
    }

    private mutating func readInputs(_ node: YAMLNode, into draft: inout StageDraft) {
        switch node.content {
        case .mapping(let members):
            for (role, node) in members {
                guard let references = references(node) else {
                    draft.unread.inputs = true
                    continue
                }
                draft.inputs.append((role, references))
            }
        case .scalar("", isPlain: true): break
        case .unreadable: draft.unread.inputs = true
        default:
            report("\"inputs\" takes a mapping from inputs to references, found \(node.found)", node.location)
            draft.unread.inputs = true
        }
    }

    /// The references of an input: one, or a list of them.
    private mutating func references(_ node: YAMLNode) -> [Located<String>]? {
        guard case .sequence(let nodes) = node.content else { return reference(node) }
        let references = nodes.map { reference($0) }
        return references.contains { $0 == nil } ? nil : references.flatMap { $0 ?? [] }
    }

    private mutating func reference(_ node: YAMLNode) -> [Located<String>]? {
        if case .scalar(let text, let isPlain) = node.content,
            let variable = substitution.scalar(text, isPlain: isPlain, at: node.location)
        {
            if let text = variable.text, !variable.value.isNull { return [Located(text, at: node.location)] }
            if case .list(let elements) = variable.value.unwrapped {
                let texts = elements.compactMap(\.value.text)
                if texts.count == elements.count { return texts.map { Located($0, at: node.location) } }
            }
        } else if case .scalar = node.content {
            return nil
        }
        if !node.isUnreadable {
            report(
                "an input takes a reference, such as stage or stage.output, or a list of them, found \(node.found)",
                node.location)
        }
        return nil
    }

    private mutating func text(_ node: YAMLNode, _ expectation: String) -> Located<String>? {
        if case .scalar(let text, let isPlain) = node.content {
            guard let variable = substitution.scalar(text, isPlain: isPlain, at: node.location) else { return nil }
            if let text = variable.text, !variable.value.isNull { return Located(text, at: node.location) }
        }
        if !node.isUnreadable { report("\(expectation), found \(node.found)", node.location) }
        return nil
    }

    // MARK: Matrices

    /// The axes of a matrix in the order of the file; nil with the mistakes noted.
    private mutating func axes(_ node: YAMLNode) -> [Axis]? {
        guard case .mapping(let members) = node.content, !members.isEmpty else {
            if !node.isUnreadable {
                report(
                    "\"matrix\" takes a mapping from axes to lists of values, found \(node.isEmptyMapping ? "an empty one" : node.found)",
                    node.location)
            }
            return nil
        }
        var axes: [Axis] = []
        var variants = 1
        for (key, node) in members {
            guard StageName.isWord(key.value) else {
                report("the matrix axis \(StageName.rule(key.value))", key.location)
                continue
            }
            guard let values = axisValues(key.value, node) else { continue }
            let (product, overflow) = variants.multipliedReportingOverflow(by: values.count)
            variants = overflow ? Int.max : product
            axes.append((key, values))
        }
        guard variants <= StageReader.maximumVariants else {
            report("the matrix has more than \(StageReader.maximumVariants) variants", node.location)
            return nil
        }
        return axes.count == members.count ? axes : nil
    }

    private mutating func axisValues(_ axis: String, _ node: YAMLNode) -> [Variable]? {
        let value = substitution.value(node)
        guard case .list(let elements) = value.value.unwrapped, !elements.isEmpty else {
            if value.value.json == nil { return nil }
            report(
                "the matrix axis \"\(axis)\" takes a list of at least one value, found \(value.value.json == [] ? "an empty one" : node.found)",
                node.location)
            return nil
        }
        var values: [Variable] = []
        var seen: Set<String> = []
        for element in elements {
            if case .unreadable = element.value { continue }
            guard let text = element.value.text, StageName.isValue(text) else {
                let shown = element.value.text.map { "\"\($0)\"" } ?? "a list or a mapping"
                report(
                    "a value of the matrix axis \"\(axis)\" becomes part of a stage's name: it takes letters, digits "
                        + "and - _ . + /, found \(shown)", element.location ?? node.location)
                continue
            }
            guard seen.insert(text).inserted else {
                report("the matrix axis \"\(axis)\" has the value \(text) twice", element.location ?? node.location)
                continue
            }
            var origin = value.value.origin ?? ValueOrigin("")
            origin.description = "${matrix.\(axis)}"
            values.append(Variable(value: .substituted(element.value, from: origin), text: text))
        }
        return values.count == elements.count ? values : nil
    }

    /// Every combination of values; the last axis changes fastest.
    private func variants(of axes: [Axis]) -> [[(axis: String, variable: Variable)]] {
        axes.reduce([[]]) { variants, axis in
            variants.flatMap { variant in axis.values.map { variant + [(axis.name.value, $0)] } }
        }
    }

    private mutating func report(_ message: String, _ location: SourceLocation?) {
        ownDiagnostics.append(Diagnostic(message, at: location))
    }
}

extension YAMLNode {
    fileprivate var isEmptyMapping: Bool {
        if case .mapping(let members) = content { members.isEmpty } else { false }
    }
}
