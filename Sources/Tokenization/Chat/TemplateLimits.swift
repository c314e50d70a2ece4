/// What bounds the time and the memory of a template, which comes with a model from anywhere.
///
/// Every operation costs a step, and more where its values are long, so that the steps bound the work. What one
/// operation could blow up is measured before it is made.
enum TemplateLimits {
    /// Bytes of a template; the longest published ones have a fiftieth of it.
    static let source = 1 << 20
    /// Statements and operations before a template is taken to run without end.
    static let steps = 2_000_000
    /// Bytes of a string that a template makes.
    static let string = 1 << 24
    /// Bytes of a string that is taken apart into characters.
    static let characters = 1 << 20
    /// Values in a list or mapping, those within its members counted where they stand.
    static let values = 1 << 20
    /// Lists and mappings within each other.
    static let depth = 64

    /// - Throws: ``ChatTemplateError`` when a string of `count` times `bytes`, and `more`, would be too long.
    static func check(
        bytes: Int, times count: Int = 1, and more: Int = 0, _ line: Int
    ) throws(ChatTemplateError) {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: count)
        let (sum, overflows) = product.addingReportingOverflow(more)
        guard !overflow, !overflows, sum <= string else {
            throw ChatTemplateError(line: line, problem: "a string becomes too long")
        }
    }

    /// Steps that an operation costs whose result this is, without what lies within its members. O(1).
    static func cost(_ value: TemplateValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count >> 10
        case .list(let values): values.count >> 6
        case .map(let members): members.count >> 4
        default: 0
        }
    }

    /// How many values a list or mapping holds, itself and those within its members included, and how deep they lie.
    ///
    /// - Throws: ``ChatTemplateError`` when it is too large or too deep.
    static func size(_ value: TemplateValue, _ line: Int) throws(ChatTemplateError) -> (values: Int, depth: Int) {
        var count = 0
        let depth = try depth(value, above: 0, &count, line)
        return (count, depth)
    }

    private static func depth(
        _ value: TemplateValue, above: Int, _ count: inout Int, _ line: Int
    ) throws(ChatTemplateError) -> Int {
        count += 1
        guard count <= values, above <= depth else {
            throw ChatTemplateError(line: line, problem: "a value becomes too large")
        }
        var deepest = above
        switch value {
        case .list(let elements):
            for element in elements { deepest = max(deepest, try depth(element, above: above + 1, &count, line)) }
        case .map(let members):
            for member in members { deepest = max(deepest, try depth(member.value, above: above + 1, &count, line)) }
        case .method(let receiver, _): deepest = try depth(receiver[0], above: above + 1, &count, line)
        default: break
        }
        return deepest
    }
}
