/// The tokens of a text.
public struct Encoding: Sendable, Equatable {
    public var ids: [Int32]
    /// For each token the UTF-8 bytes of the text it stands for, whole characters; tokens that share a character share
    /// its span, and tokens that were added to the text have an empty one.
    public var offsets: [Range<Int>]

    public init(ids: [Int32] = [], offsets: [Range<Int>] = []) {
        self.ids = ids
        self.offsets = offsets
    }
}
