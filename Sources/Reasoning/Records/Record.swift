import CanonicalJSON

/// One record of an artifact: a value with a unique identifier and a canonical JSON form.
///
/// `init(json:)` and `json` are inverse to each other for every value of the type. Unknown members are ignored when
/// reading, and optional members are left out of the JSON when they are nil.
public protocol Record: Sendable, Equatable {
    /// Name and version of the artifact type, such as `questions/1`.
    static var artifactType: String { get }

    /// Unique within one artifact; never empty.
    var id: String { get }

    /// Reads a record.
    ///
    /// - Throws: `JSONFieldError` naming the member that is missing, of the wrong kind or out of range.
    init(json: JSONObject) throws(JSONFieldError)

    /// The record as a JSON object.
    var json: JSON { get }
}

extension Record {
    /// Equal exactly when the canonical encodings are equal byte for byte; Unicode equivalence does not count.
    public static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}

extension JSONObject {
    /// The record identifier: a string that is not empty.
    func identifier() throws(JSONFieldError) -> String {
        let id = try string("id")
        guard !id.isEmpty else { throw JSONFieldError(field: "id", problem: "is empty") }
        return id
    }

    /// A member that is one of a fixed list of words.
    func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, of type: Value.Type
    ) throws(JSONFieldError) -> Value where Value.RawValue == String {
        let text = try string(key)
        guard let value = Value(rawValue: text) else {
            let known = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw JSONFieldError(field: key, problem: "is \"\(text)\"; it should be one of \(known)")
        }
        return value
    }

    /// An integer that is not negative.
    func count(_ key: String) throws(JSONFieldError) -> Int {
        let value = try integer(key)
        guard value >= 0 else { throw JSONFieldError(field: key, problem: "is \(value); it cannot be negative") }
        return value
    }

    /// A number from 0 to 1.
    func share(_ key: String) throws(JSONFieldError) -> Double {
        let value = try double(key)
        guard (0...1).contains(value) else {
            throw JSONFieldError(field: key, problem: "is \(value); it should lie between 0 and 1")
        }
        return value
    }

    /// A list of strings, or nil when the member is missing or null.
    func optionalStrings(_ key: String) throws(JSONFieldError) -> [String]? {
        if self[key]?.isNull ?? true { return nil }
        var strings: [String] = []
        for (index, element) in try array(key).enumerated() {
            guard let text = element.string else {
                throw JSONFieldError(field: "\(key)[\(index)]", problem: "should be a string, found \(element.kind)")
            }
            strings.append(text)
        }
        return strings
    }

    /// A half-open span `[start, end]` of byte offsets.
    func span(_ key: String) throws(JSONFieldError) -> Range<Int> {
        let ends = try array(key)
        guard ends.count == 2, let start = ends[0].integer, let end = ends[1].integer, 0 <= start, start <= end else {
            throw JSONFieldError(field: key, problem: "should be [start, end] with 0 <= start <= end")
        }
        return start..<end
    }
}

extension JSON {
    /// A span as `[start, end]`.
    static func span(_ range: Range<Int>) -> JSON {
        .array([.integer(Int64(range.lowerBound)), .integer(Int64(range.upperBound))])
    }

    static func count(_ value: Int) -> JSON { .integer(Int64(value)) }
}
