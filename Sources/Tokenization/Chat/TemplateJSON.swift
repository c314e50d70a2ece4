import CanonicalJSON

/// JSON as Python's `json.dumps` writes it, without escaping what is not ASCII.
enum TemplateJSON {
    static func text(_ value: TemplateValue, indent: Int?, _ line: Int) throws(ChatTemplateError) -> String {
        if let indent, indent > 0 {
            let size = try TemplateLimits.size(value, line)
            let (margin, overflow) = indent.multipliedReportingOverflow(by: size.depth + 1)
            try TemplateLimits.check(bytes: overflow ? .max : margin, times: 2 * size.values, line)
        }
        return try text(value, indent, 0, line)
    }

    private static func text(
        _ value: TemplateValue, _ indent: Int?, _ depth: Int, _ line: Int
    ) throws(ChatTemplateError) -> String {
        switch value {
        case .none: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .integer, .number: return value.text
        case .string(let text): return JSON.string(text).canonicalText
        case .list(let values):
            var parts: [String] = []
            for value in values { parts.append(try text(value, indent, depth + 1, line)) }
            return enclosed(parts, "[", "]", indent, depth)
        case .map(let members):
            var parts: [String] = []
            for member in members {
                parts.append(
                    "\(JSON.string(member.key).canonicalText): \(try text(member.value, indent, depth + 1, line))")
            }
            return enclosed(parts, "{", "}", indent, depth)
        default: throw ChatTemplateError(line: line, problem: "cannot write \(value.kind) as JSON")
        }
    }

    private static func enclosed(
        _ parts: [String], _ open: String, _ close: String, _ indent: Int?, _ depth: Int
    ) -> String {
        guard let indent, !parts.isEmpty else { return open + parts.joined(separator: ", ") + close }
        let margin = { (depth: Int) in "\n" + String(repeating: " ", count: max(0, indent) * depth) }
        return open + margin(depth + 1) + parts.joined(separator: "," + margin(depth + 1)) + margin(depth) + close
    }
}
