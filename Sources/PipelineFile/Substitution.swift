import CanonicalJSON
import StageGraph

/// Replaces `${name}` in scalars.
///
/// A scalar that is nothing but `${name}` becomes the parameter's value with its type. Inside longer text the value's
/// text is put in, and the result is a string. `$${` stands for `${` itself.
struct Substitution {
    private enum Piece {
        case literal(String)
        case reference(String)
    }

    /// Pipeline parameters.
    var variables = Variables()
    /// The values of this variant of a stage, by axis; nil outside a stage with a matrix.
    var matrix: [(axis: String, variable: Variable)]?
    /// Parameters that are declared further below, so that they cannot be used yet.
    var laterParameters: Set<String> = []
    /// The axes whose values were put in somewhere; whoever sets ``matrix`` empties it.
    var usedAxes: Set<String> = []
    private(set) var diagnostics: [Diagnostic] = []

    /// The node's value with everything replaced.
    mutating func value(_ node: YAMLNode) -> Located<DraftValue> {
        switch node.content {
        case .unreadable: return Located(.unreadable, at: node.location)
        case .sequence(let nodes): return Located(.list(nodes.map { value($0) }), at: node.location)
        case .mapping(let members):
            return Located(.mapping(members.map { ($0.key, value($0.value)) }), at: node.location)
        case .scalar(let text, let isPlain):
            let variable = scalar(text, isPlain: isPlain, at: node.location)
            return Located(variable?.value ?? .unreadable, at: node.location)
        }
    }

    /// A scalar's value; nil when it has a mistake.
    mutating func scalar(_ text: String, isPlain: Bool, at location: SourceLocation) -> Variable? {
        guard text.utf8.contains(UInt8(ascii: "$")) else {
            return Variable(value: .scalar(isPlain ? JSON(plainScalar: text) : .string(text)), text: text)
        }
        guard let pieces = pieces(text, at: location) else { return nil }
        if pieces.count == 1, case .reference(let name) = pieces[0] { return variable(name, at: location) }
        var result = ""
        var base: String?
        var isComplete = true
        var hasReference = false
        for piece in pieces {
            switch piece {
            case .literal(let literal): result += literal
            case .reference(let name):
                hasReference = true
                guard let variable = variable(name, at: location) else {
                    isComplete = false
                    continue
                }
                guard let text = variable.text else {
                    report("${\(name)} is not a scalar, so it cannot stand inside longer text", at: location)
                    isComplete = false
                    continue
                }
                if result.isEmpty { base = variable.value.baseDirectory }
                result += text
            }
        }
        guard isComplete else { return nil }
        let value = DraftValue.scalar(.string(result))
        guard hasReference else { return Variable(value: value, text: result) }
        return Variable(
            value: .substituted(value, from: ValueOrigin(text, baseDirectory: base)), text: result)
    }

    /// Text and references by turns; nil when a reference is malformed.
    private mutating func pieces(_ text: String, at location: SourceLocation) -> [Piece]? {
        var pieces: [Piece] = []
        var literal = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        func starts(_ prefix: String) -> Bool { rest.starts(with: prefix.unicodeScalars) }
        while let scalar = rest.first {
            if starts("$${") {
                literal.append(contentsOf: "${".unicodeScalars)
                rest = rest.dropFirst(3)
            } else if starts("${") {
                rest = rest.dropFirst(2)
                let name = String(rest.prefix { $0 != "}" && $0 != "{" && $0 != "$" })
                rest = rest.dropFirst(name.unicodeScalars.count)
                guard rest.first == "}", isReference(name) else {
                    report(
                        "\"${\(name)\(rest.first == "}" ? "}" : "")\" does not name a parameter; "
                            + "write ${name}, or $${ where the text should have ${", at: location)
                    return nil
                }
                rest = rest.dropFirst()
                if !literal.isEmpty { pieces.append(.literal(String(literal))) }
                literal = String.UnicodeScalarView()
                pieces.append(.reference(name))
            } else {
                literal.append(scalar)
                rest = rest.dropFirst()
            }
        }
        if !literal.isEmpty || pieces.isEmpty { pieces.append(.literal(String(literal))) }
        return pieces
    }

    private func isReference(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 1
            ? StageName.isWord(name) : parts.count == 2 && parts.allSatisfy { StageName.isWord(String($0)) }
    }

    private mutating func variable(_ name: String, at location: SourceLocation) -> Variable? {
        if let axis = name.split(separator: ".").dropFirst().first.map(String.init) {
            return matrixVariable(name, axis: axis, at: location)
        }
        if let variable = variables.use(name) { return variable }
        if laterParameters.contains(name) {
            report("${\(name)} stands below; a parameter can use those above it", at: location)
            return nil
        }
        let known = variables.names.map(\.value)
        let hint =
            known.isEmpty && laterParameters.isEmpty
            ? "; the pipeline has none" : suggestion(for: name, among: known, label: "The pipeline has")
        report("unknown parameter \"\(name)\" in ${\(name)}\(hint)", at: location)
        return nil
    }

    private mutating func matrixVariable(_ name: String, axis: String, at location: SourceLocation) -> Variable? {
        guard name.hasPrefix("matrix.") else {
            report("\"${\(name)}\" does not name a parameter; names with a dot are ${matrix.axis}", at: location)
            return nil
        }
        guard let matrix else {
            report("${\(name)} has no meaning here: only a stage with a matrix has ${matrix.…}", at: location)
            return nil
        }
        if let variable = matrix.first(where: { $0.axis == axis })?.variable {
            usedAxes.insert(axis)
            return variable
        }
        let hint = suggestion(for: axis, among: matrix.map(\.axis), label: "The matrix has")
        report("unknown matrix axis \"\(axis)\" in ${\(name)}\(hint)", at: location)
        return nil
    }

    private mutating func report(_ message: String, at location: SourceLocation) {
        diagnostics.append(Diagnostic(message, at: location))
    }
}
