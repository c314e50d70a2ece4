import CanonicalJSON
import StageGraph

/// The reference of stage types, as Markdown.
enum StageReference {
    static func markdown(_ library: StageLibrary) -> String {
        let sections = library.types.flatMap { [""] + section($0.signature) }
        return
            (["# Stages", "", "Every stage type a pipeline file may use: its parameters, inputs and outputs."]
            + sections)
            .joined(separator: "\n")
    }

    static func section(_ signature: StageSignature) -> [String] {
        var lines = ["## \(signature.name)", "", "\(signature.summary) \(work(signature))"]
        if !signature.parameters.isEmpty {
            lines += ["", "| parameter | takes | default | |", "|---|---|---|---|"]
            lines += signature.parameters.flatMap { rows($0, path: "") }
        }
        if !signature.inputs.isEmpty {
            lines += ["", "| input | type | |", "|---|---|---|"]
            lines += signature.inputs.map { "| \(role($0)) | `\($0.type)` | \(escaped($0.summary)) |" }
        }
        lines += ["", "| output | type | |", "|---|---|---|"]
        lines += signature.outputs.map { "| `\($0.name)` | `\($0.type)` | \(escaped($0.summary)) |" }
        return lines
    }

    private static func work(_ signature: StageSignature) -> String {
        switch signature.granularity {
        case .source: "A source."
        case .map: "Runs once a shard."
        case .reduce: "Runs once, over whole artifacts."
        }
    }

    private static func role(_ port: InputPort) -> String {
        switch port.arity {
        case .one: "`\(port.name)`"
        case .optional: "`\(port.name)`, optional"
        case .list: "`\(port.name)`, one or a list"
        case .named: "any names (\(port.name))"
        }
    }

    private static func rows(_ parameter: Parameter, path: String) -> [String] {
        let name = path + parameter.name
        let standard =
            parameter.defaultValue.map { $0.isNull ? "none" : "`\(escaped($0.canonicalText))`" } ?? "required"
        switch parameter.kind {
        case .object(let members):
            return ["| `\(name)` | a mapping | | \(escaped(parameter.summary)) |"]
                + members.flatMap { rows($0, path: "\(name).") }
        case .variant(let tag, let cases):
            return [
                "| `\(name)` | \(escaped(parameter.kind.expectation)) | \(standard) | \(escaped(parameter.summary)) |"
            ]
                + cases.flatMap { kind, members in
                    members.flatMap { rows($0, path: "\(name) (\(tag): \(kind)).") }
                }
        default:
            return [
                "| `\(name)` | \(escaped(parameter.kind.expectation)) | \(standard) | \(escaped(parameter.summary)) |"
            ]
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: "\\n")
    }
}
