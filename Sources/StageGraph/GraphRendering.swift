extension Pipeline {
    /// The graph as a Mermaid flowchart: a box a stage, an arrow an input, labelled with output, role and type.
    ///
    /// Deterministic; ends with a line end. O(stages + inputs).
    public var mermaid: String {
        var lines = ["flowchart TD"]
        for (index, node) in stages.enumerated() {
            lines.append("    s\(index)[\"\(mermaidText(node.name))<br/><i>\(mermaidText(node.signature.name))</i>\"]")
        }
        for edge in edges {
            lines.append(
                "    s\(edge.from) -->|\"\(edge.label.map(mermaidText).joined(separator: "<br/>"))\"| s\(edge.to)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The graph in Graphviz's DOT language, with the labels of ``mermaid``.
    ///
    /// Deterministic; ends with a line end. O(stages + inputs).
    public var dot: String {
        var lines = ["digraph \(dotText([name])) {", "    node [shape=box];"]
        for (index, node) in stages.enumerated() {
            lines.append("    s\(index) [label=\(dotText([node.name, node.signature.name]))];")
        }
        for edge in edges {
            lines.append("    s\(edge.from) -> s\(edge.to) [label=\(dotText(edge.label))];")
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }

    /// The inputs of all stages as arrows between the stages' positions.
    private var edges: [(from: Int, to: Int, label: [String])] {
        let positions = Dictionary(
            stages.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
        return stages.enumerated().flatMap { to, node in
            node.inputs.compactMap { input in
                positions[input.source.stage].map { from in
                    let route =
                        input.source.output == input.role ? input.role : "\(input.source.output) → \(input.role)"
                    return (from, to, [route, "\(input.port.type)"])
                }
            }
        }
    }
}

/// Text inside a quoted Mermaid label, where `#name;` stands for a character.
private func mermaidText(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "#", "&", "<", ">", "`", "\\", "\n", "\r": result += "#\(scalar.value);"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// A quoted DOT string of lines.
private func dotText(_ lines: [String]) -> String {
    let escaped = lines.map { line in
        var result = ""
        for scalar in line.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n", "\r": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
    return "\"\(escaped.joined(separator: "\\n"))\""
}
