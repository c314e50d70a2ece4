import CanonicalJSON

/// A known mistake in a rationale: what kind it is and where it stands.
///
/// The kinds are those of EDIT's mistake-pattern analysis; `other` also stands for a kind that nobody has named.
public struct Mistake: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case logical, knowledge, calculation, other
    }

    public var kind: Kind
    /// UTF-8 byte offsets into the rationale, half open.
    public var span: Range<Int>

    public init(kind: Kind, span: Range<Int>) {
        self.kind = kind
        self.span = span
    }

    var json: JSON {
        .object(
            JSONObject([
                ("kind", .string(kind.rawValue)), ("start", .count(span.lowerBound)), ("end", .count(span.upperBound)),
            ]))
    }

    /// The member `mistakes` of a record whose rationale has `length` bytes; nil when it is missing or null. A mistake
    /// without a kind is of the kind `other`.
    public static func list(in record: JSONObject, length: Int) throws(JSONFieldError) -> [Mistake]? {
        if record["mistakes"]?.isNull ?? true { return nil }
        var mistakes: [Mistake] = []
        for (index, element) in try record.array("mistakes").enumerated() {
            guard let object = element.object else {
                throw JSONFieldError(
                    field: "mistakes[\(index)]", problem: "should be an object, found \(element.kind)")
            }
            let (start, end) = (try object.integer("start"), try object.integer("end"))
            guard 0 <= start, start <= end, end <= length else {
                throw JSONFieldError(
                    field: "mistakes[\(index)]",
                    problem: "spans bytes \(start) to \(end) of a rationale of \(length) bytes")
            }
            let kind = object["kind"].map(\.isNull) ?? true ? .other : try object.choice("kind", of: Kind.self)
            mistakes.append(Mistake(kind: kind, span: start..<end))
        }
        return mistakes
    }
}
