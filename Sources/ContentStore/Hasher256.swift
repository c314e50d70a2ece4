internal import Crypto

/// SHA-256 fed piece by piece.
public struct Hasher256 {
    private var state = SHA256()

    public init() {}

    /// Feeds raw bytes. O(size).
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state.update(bufferPointer: bytes)
    }

    /// Feeds bytes. O(size).
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { state.update(bufferPointer: $0) }
    }

    /// Feeds bytes. O(size).
    public mutating func update(_ bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { state.update(bufferPointer: .init($0)) }
        if done == nil { Array(bytes).withUnsafeBytes { state.update(bufferPointer: $0) } }
    }

    /// Feeds the UTF-8 bytes of a text. O(size).
    public mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { state.update(bufferPointer: .init($0)) }
    }

    /// The digest of everything fed so far; more may be fed afterwards.
    public func finalize() -> Digest {
        state.finalize().withUnsafeBytes { Digest(raw: $0) }
    }
}
