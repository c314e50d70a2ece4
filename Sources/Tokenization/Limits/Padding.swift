import CanonicalJSON

/// How a tokenizer file says that short encodings are filled up.
public struct Padding: Sendable, Equatable {
    /// Tokens to fill up to; nil for the longest of a batch, which a text alone always is.
    public var length: Int?
    /// The length becomes a multiple of this.
    public var multiple: Int
    /// Where padding is added.
    public var side: TokenSide
    public var token: String
    public var id: Int32

    /// Longest padding that is accepted, in tokens.
    private static let limit = 1 << 20

    init?(_ file: JSONObject) throws(TokenizerError) {
        guard let value = file["padding"], !value.isNull else { return nil }
        let reader = try LimitReader(value, at: "padding")
        side = try reader.side()
        multiple = value["pad_to_multiple_of"]?.isNull ?? true ? 1 : max(1, try reader.count("pad_to_multiple_of"))
        guard let token = value["pad_token"]?.string, let id = value["pad_id"]?.integer.flatMap(Int32.init(exactly:))
        else { throw TokenizerError(path: "padding", problem: "should have a pad_token and a pad_id") }
        (self.token, self.id) = (token, id)
        if let fixed = value["strategy"]?["Fixed"]?.integer {
            length = fixed
        } else {
            let strategy = value["strategy"]
            guard strategy?.string.map({ $0.utf8.elementsEqual("BatchLongest".utf8) }) ?? false else {
                throw .unsupported("padding strategy", strategy?.canonicalText ?? "null", at: "padding.strategy")
            }
        }
        guard (0...Padding.limit).contains(length ?? 0), multiple <= Padding.limit else {
            throw TokenizerError(path: "padding", problem: "fills up to more than \(Padding.limit) tokens")
        }
    }

    /// Fills up an encoding; the tokens added have no place in the text.
    func apply(to encoding: inout Encoding, withOffsets: Bool) {
        var target = length ?? encoding.ids.count
        if target % multiple > 0 { target += multiple - target % multiple }
        let missing = target - encoding.ids.count
        guard missing > 0 else { return }
        let place = side == .left ? 0 : encoding.ids.count
        encoding.ids.insert(contentsOf: repeatElement(id, count: missing), at: place)
        if withOffsets {
            encoding.offsets.insert(contentsOf: repeatElement(0..<0, count: missing), at: place)
        }
    }
}

/// Reads the members that truncation and padding share.
struct LimitReader {
    private let object: JSONObject
    private let path: String

    init(_ value: JSON, at path: String) throws(TokenizerError) {
        guard let object = value.object else {
            throw TokenizerError(path: path, problem: "should be an object, found \(value.kind)")
        }
        (self.object, self.path) = (object, path)
    }

    func count(_ key: String, default fallback: Int? = nil) throws(TokenizerError) -> Int {
        if object[key] == nil, let fallback { return fallback }
        guard let value = object[key]?.integer, value >= 0 else {
            throw TokenizerError(path: "\(path).\(key)", problem: "should be a count")
        }
        return value
    }

    func side() throws(TokenizerError) -> TokenSide {
        let name = object["direction"]?.string ?? "Right"
        guard let side = TokenSide(rawValue: name) else { throw .unsupported("direction", name, at: path) }
        return side
    }
}
