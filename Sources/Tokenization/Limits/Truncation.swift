import CanonicalJSON

/// The side of an encoding at which tokens are cut off or padding is added.
public enum TokenSide: String, Sendable, CaseIterable {
    case left = "Left"
    case right = "Right"
}

/// How a tokenizer file says that long encodings are cut.
public struct Truncation: Sendable, Equatable {
    /// Tokens that are left, special ones included.
    public var maximumLength: Int
    /// Where tokens are cut off.
    public var side: TokenSide

    /// - Parameter added: special tokens that the template adds, which have to find room.
    init?(_ file: JSONObject, added: Int) throws(TokenizerError) {
        guard let value = file["truncation"], !value.isNull else { return nil }
        let reader = try LimitReader(value, at: "truncation")
        maximumLength = try reader.count("max_length")
        side = try reader.side()
        let stride = try reader.count("stride", default: 0)
        let strategy = value["strategy"]?.string ?? "LongestFirst"
        guard ["LongestFirst", "OnlyFirst"].contains(strategy) else {
            throw .unsupported("truncation strategy", strategy, at: "truncation.strategy")
        }
        guard maximumLength == 0 || maximumLength > added, stride == 0 || stride < maximumLength - added else {
            throw TokenizerError(
                path: "truncation",
                problem: "a max_length of \(maximumLength) leaves no room beside \(added) special tokens and "
                    + "a stride of \(stride)")
        }
    }

    /// Cuts an encoding that has no special tokens yet.
    ///
    /// - Parameter added: tokens that will be added.
    func apply(to encoding: inout Encoding, added: Int) {
        let excess = encoding.ids.count - max(0, maximumLength - added)
        guard excess > 0 else { return }
        switch side {
        case .left:
            encoding.ids.removeFirst(excess)
            encoding.offsets.removeFirst(min(excess, encoding.offsets.count))
        case .right:
            encoding.ids.removeLast(excess)
            encoding.offsets.removeLast(min(excess, encoding.offsets.count))
        }
    }
}
