import CanonicalJSON

/// A checkpoint's or adapter's description as lines to read: the name of a fact and its value.
enum InspectionText {
    private static let order = [
        "kind", "directory", "family", "parameters", "types", "layers", "hidden_size", "intermediate_size",
        "attention_heads", "key_value_heads", "head_size", "vocab_size", "max_positions", "sliding_window",
        "rope_theta", "tied_embeddings", "end_tokens", "rank", "alpha", "dropout", "targets", "base",
    ]

    static func lines(_ object: JSONObject) -> [String] {
        var rows = order.compactMap { name in object[name].map { [name.replacing("_", with: " "), text($0)] } }
        if let tokenizer = object["tokenizer"]?.object {
            rows.append(["tokenizer", text(.object(tokenizer))])
        } else if object["kind"] == "checkpoint" {
            rows.append(["tokenizer", "none"])
        }
        for file in object["files"]?.array ?? [] {
            let (tensors, bytes) = (file["tensors"]?.integer ?? 0, file["bytes"]?.integer ?? 0)
            rows.append(["file", "\(file["name"]?.string ?? "?"): \(tensors) tensors, \(bytes) bytes"])
        }
        let width = rows.map(\.[0].count).max() ?? 0
        return rows.map { $0[0] + String(repeating: " ", count: width - $0[0].count + 2) + $0[1] }
    }

    /// A value without the punctuation of JSON.
    private static func text(_ value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .array(let values): values.map(text).joined(separator: ", ")
        case .object(let object):
            object.members.map { "\($0.key.replacing("_", with: " ")) \(text($0.value))" }.joined(separator: ", ")
        case .bool(let value): value ? "yes" : "no"
        default: value.canonicalText
        }
    }
}
