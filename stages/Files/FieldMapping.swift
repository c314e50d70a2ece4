import CanonicalJSON

/// Which column of a foreign file holds which field: `fields: { question: prompt, answer: target }`.
struct FieldMapping {
    /// Own field to foreign column; a field not listed is read from the column of its own name.
    let columns: [String: String]

    init(_ json: JSON) {
        columns = Dictionary(uniqueKeysWithValues: json.object!.members.map { ($0.key, $0.value.string!) })
    }

    /// The problem with a mapping that names fields a record does not have; nil for none.
    func problem(known: [String]) -> (field: String, message: String)? {
        columns.keys.sorted().first { !known.contains($0) }.map {
            ($0, "there is no field \"\($0)\" to fill; the fields are \(known.joined(separator: ", "))")
        }
    }

    /// A member that has to be there; numbers count as text.
    func text(_ field: String, in object: JSONObject) throws(JSONFieldError) -> String {
        let column = columns[field] ?? field
        guard let value = try optionalText(field, in: object) else {
            throw JSONFieldError(field: column, problem: "is missing")
        }
        return value
    }

    /// A member that may be missing or null.
    func optionalText(_ field: String, in object: JSONObject) throws(JSONFieldError) -> String? {
        let column = columns[field] ?? field
        switch object[column] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        case .integer?, .number?: return object[column]!.canonicalText
        case .bool(let value)?: return value ? "True" : "False"
        case let other?:
            throw JSONFieldError(field: column, problem: "should be a string, found \(other.kind)")
        }
    }

    /// A list of strings that may be missing or null.
    func optionalList(_ field: String, in object: JSONObject) throws(JSONFieldError) -> [String]? {
        let column = columns[field] ?? field
        guard let value = object[column], !value.isNull else { return nil }
        guard let strings = value.array?.compactMap(\.string), strings.count == value.array?.count else {
            throw JSONFieldError(field: column, problem: "should be a list of strings")
        }
        return strings
    }
}
