import ContentStore

/// A segment as tiers hold it: its content, and below it who vouches for it.
///
/// A signature names the collection, so a segment of one is none of another.
enum SignedSegment {
    private static func tag(_ collection: SegmentCollection) -> String {
        "retort-segment-signature/1\n\(collection)\n"
    }

    static func encode(_ content: [UInt8], of collection: SegmentCollection, signer: SigningKey?) throws -> [UInt8] {
        guard let signer else { return content }
        let feed = [UInt8(ascii: "\n")]
        return content + feed + (try Signatures.line(of: content, tag: tag(collection), by: signer)) + feed
    }

    /// The content, or why it is not used.
    ///
    /// - Parameter trusted: whose signatures count; nil where none is needed.
    static func decode(
        _ bytes: [UInt8], of collection: SegmentCollection, trusted: [PublicSigningKey]?
    ) -> (content: [UInt8], distrust: String?) {
        let (content, signatures) = parts(bytes)
        let distrust = trusted.flatMap {
            Signatures.distrust(of: content, tag: tag(collection), signatures: signatures, trusted: $0)
        }
        return (content, distrust)
    }

    private static func parts(_ bytes: [UInt8]) -> (content: [UInt8], signatures: ArraySlice<UInt8>) {
        guard bytes.last == UInt8(ascii: "\n") else { return (bytes, []) }
        let line = bytes.dropLast()
        // Only the end is searched: what is longer is no signature.
        guard let feed = line.suffix(Signatures.maximumBytes + 1).lastIndex(of: UInt8(ascii: "\n")),
            Signatures.isLine(line[(feed + 1)...])
        else { return (bytes, []) }
        return (Array(bytes[..<feed]), line[(feed + 1)...])
    }
}
