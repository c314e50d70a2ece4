/// Attributes, items and slices of template values.
enum TemplateMembers {
    /// `value.name`: a member of a mapping, an attribute, or a method.
    static func attribute(
        _ name: String, of value: TemplateValue, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        if case .undefined(let base) = value {
            throw ChatTemplateError(line: line, problem: "\(base) is undefined, so it has no \(name.debugDescription)")
        }
        if case .namespace(let namespace) = value { return namespace.members[name] ?? .undefined(name) }
        if TemplateMethods.has(name, value) { return .method(on: [value], name) }
        return value.member(name) ?? .undefined(name)
    }

    /// `value[index]`.
    static func item(
        _ index: TemplateValue, of value: TemplateValue, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        if case .undefined(let base) = value {
            throw ChatTemplateError(line: line, problem: "\(base) is undefined, so it has no items")
        }
        if case .string(let name) = index {
            if let member = value.member(name) { return member }
            return try attribute(name, of: value, line)
        }
        guard let place = index.integerValue else { return .undefined(index.text) }
        switch value {
        case .list(let values):
            let offset = place < 0 ? place + values.count : place
            return values.indices.contains(offset) ? values[offset] : .undefined("item \(place)")
        case .string(let text):
            let scalars = Array(text.unicodeScalars)
            let offset = place < 0 ? place + scalars.count : place
            return scalars.indices.contains(offset) ? .string(String(scalars[offset])) : .undefined("item \(place)")
        default: return .undefined("item \(place)")
        }
    }

    /// `value[start:end:stride]` as in Python.
    static func slice(
        _ value: TemplateValue, _ start: Int?, _ end: Int?, _ stride: Int?, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        if case .string(let text) = value {
            let scalars = Array(text.unicodeScalars)
            var part = String.UnicodeScalarView()
            for index in try indices(scalars.count, start, end, stride, line) { part.append(scalars[index]) }
            return .string(String(part))
        }
        guard case .list(let values) = value else {
            throw ChatTemplateError(line: line, problem: "cannot take a slice of \(value.kind)")
        }
        return .list(try indices(values.count, start, end, stride, line).map { values[$0] })
    }

    private static func indices(
        _ count: Int, _ start: Int?, _ end: Int?, _ stride: Int?, _ line: Int
    ) throws(ChatTemplateError) -> [Int] {
        let step = stride ?? 1
        guard step != 0 else { throw ChatTemplateError(line: line, problem: "a slice has the step 0") }
        func place(_ bound: Int?, _ fallback: Int) -> Int {
            guard let bound else { return fallback }
            let place = bound < 0 ? max(bound, -count - 1) + count : min(bound, count)
            return step > 0 ? max(0, place) : max(-1, min(place, count - 1))
        }
        let (first, last) = step > 0 ? (place(start, 0), place(end, count)) : (place(start, count - 1), place(end, -1))
        return Array(Swift.stride(from: first, to: last, by: step))
    }
}
