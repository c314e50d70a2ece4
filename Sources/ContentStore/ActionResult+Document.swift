/// Results as files, for whoever carries them from one store to another.
extension ActionResult {
    /// The canonical document of the result of `key`.
    public func document(for key: Digest) -> [UInt8] { ActionDocument.encode(self, key: key) }

    /// How large a document may be.
    public static var maximumDocumentBytes: Int { ActionDocument.maximumBytes }

    /// Reads a document, trusting nothing in it.
    ///
    /// - Throws: ``ContentStoreError``: `newerFormat`, or `malformed` with what is wrong with it.
    public init(document bytes: [UInt8], for key: Digest) throws {
        switch ActionDocument.decode(bytes, key: key) {
        case .result(let result): self = result
        case .newer(let format): throw ActionDocument.newer("the result of action \(key.short)", format)
        case .unusable(let reason):
            throw ContentStoreError(
                .malformed, "the result of action \(key.short)", reason,
                remedy: "push it again from a store that has it"
            )
        }
    }
}
