import CanonicalJSON

/// A token that is recognised in the text before anything else.
public struct AddedToken: Sendable, Hashable {
    public let id: Int32
    public let content: String
    /// It counts only where no word character stands next to it.
    public let singleWord: Bool
    /// It takes the white space before it.
    public let stripsLeft: Bool
    /// It takes the white space after it.
    public let stripsRight: Bool
    /// It is looked for in the normalised text.
    public let normalized: Bool
    /// It stands for no text and is left out when decoding without special tokens.
    public let special: Bool

    init(_ value: JSON, at path: String) throws(TokenizerError) {
        guard let object = value.object, let id = object["id"]?.integer, let content = object["content"]?.string,
            id >= 0, id <= Int(Int32.max)
        else { throw TokenizerError(path: path, problem: "should be an object with an id and a content") }
        self.id = Int32(id)
        self.content = content
        singleWord = object["single_word"]?.bool ?? false
        stripsLeft = object["lstrip"]?.bool ?? false
        stripsRight = object["rstrip"]?.bool ?? false
        special = object["special"]?.bool ?? false
        normalized = object["normalized"]?.bool ?? !special
    }
}
