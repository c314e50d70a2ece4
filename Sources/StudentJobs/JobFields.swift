import CanonicalJSON

/// Reading the fields of jobs and events, each with its own rule.
extension JSONObject {
    /// A string that must be one of a type's raw values.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, as type: Choice.Type = Choice.self
    ) throws(JSONFieldError) -> Choice where Choice.RawValue == String {
        let text = try string(key)
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw JSONFieldError(field: key, problem: "should be one of \(known); found \"\(text)\"")
        }
        return choice
    }

    /// A list of strings.
    func strings(_ key: String) throws(JSONFieldError) -> [String] {
        var result: [String] = []
        for element in try array(key) {
            guard let text = element.string else {
                throw JSONFieldError(field: key, problem: "should hold strings only, found \(element.kind)")
            }
            result.append(text)
        }
        return result
    }

    /// A list of integers.
    func integers(_ key: String) throws(JSONFieldError) -> [Int] {
        var result: [Int] = []
        for element in try array(key) {
            guard let value = element.integer else {
                throw JSONFieldError(field: key, problem: "should hold integers only, found \(element.kind)")
            }
            result.append(value)
        }
        return result
    }

    /// A list of token ids.
    func tokens(_ key: String) throws(JSONFieldError) -> [Int32] {
        var result: [Int32] = []
        for value in try integers(key) {
            guard let token = Int32(exactly: value), token >= 0 else {
                throw JSONFieldError(field: key, problem: "holds \(value), which is no token id")
            }
            result.append(token)
        }
        return result
    }

    /// A seed; any integer.
    func seed(_ key: String) throws(JSONFieldError) -> UInt64 { UInt64(bitPattern: Int64(try integer(key))) }

    /// An object that may be missing or null, read by `read`.
    func optional<Value>(
        _ key: String, _ read: (JSONObject) throws(JSONFieldError) -> Value
    ) throws(JSONFieldError) -> Value? {
        guard let value = self[key], !value.isNull else { return nil }
        return try read(try object(key))
    }

    /// Throws unless `condition` holds.
    func check(_ key: String, _ condition: Bool, _ rule: String) throws(JSONFieldError) {
        guard condition else {
            throw JSONFieldError(field: key, problem: "is \(self[key]?.canonicalText ?? "missing"); it \(rule)")
        }
    }
}

extension JSON {
    static func whole(_ value: some BinaryInteger) -> JSON { .integer(Int64(value)) }
    static func tokens(_ tokens: [Int32]) -> JSON { .array(tokens.map { .integer(Int64($0)) }) }
    static func seed(_ seed: UInt64) -> JSON { .integer(Int64(bitPattern: seed)) }
    static func optional(_ value: Int?) -> JSON { value.map { .integer(Int64($0)) } ?? .null }
    static func optional(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
    static func optional(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
}
