/// The functions a chat template may call.
enum TemplateFunctions {
    static let names: Set<String> = ["raise_exception", "namespace", "range", "dict"]

    static func call(_ name: String, _ call: TemplateCall, _ line: Int) throws(ChatTemplateError) -> TemplateValue {
        switch name {
        case "raise_exception":
            throw ChatTemplateError(line: line, problem: call.argument(0, "message")?.text ?? "an exception")
        case "namespace":
            let namespace = TemplateNamespace()
            for argument in call.positional {
                if case .map(let members) = argument {
                    for member in members { namespace.members[member.key] = member.value }
                }
            }
            namespace.members.merge(call.named) { $1 }
            return .namespace(namespace)
        case "range":
            let bounds = call.positional.compactMap(\.integerValue)
            guard bounds.count == call.positional.count, 1...3 ~= bounds.count else {
                throw ChatTemplateError(line: line, problem: "range needs one to three integers")
            }
            let (first, last) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
            let step = bounds.count == 3 ? bounds[2] : 1
            let (span, overflow) = last.subtractingReportingOverflow(first)
            guard step != 0, !overflow, span.magnitude / step.magnitude <= 100_000 else {
                throw ChatTemplateError(
                    line: line, problem: "the range from \(first) to \(last) by \(step) is too long")
            }
            return .list(stride(from: first, to: last, by: step).map(TemplateValue.integer))
        default: return .map(call.named.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
    }
}
