import ContentStore

/// A result as tiers hold it: the store's canonical document, and below it who vouches for it.
///
/// ```
/// {"checksum":"…","format":"retort-action/1","key":"…",…}
/// {"format":"retort-signatures/1","signatures":[{"key":"ed25519:…","signature":"…"}]}
/// ```
///
/// A signature is Ed25519 over `retort-result-signature/1`, a line feed and the document, which names its key: it
/// vouches for this result of this action and nothing else.
enum SignedResult {
    private static let tag = "retort-result-signature/1\n"
    static let maximumBytes = ActionResult.maximumDocumentBytes + Signatures.maximumBytes

    enum Reading: Sendable, Equatable {
        case usable(ActionResult)
        /// Somebody's result, but nobody's that is trusted.
        case untrusted(String)
        /// Damaged, or not of this format.
        case unusable(String)
    }

    static func encode(_ document: [UInt8], signer: SigningKey?) throws -> [UInt8] {
        let feed = [UInt8(ascii: "\n")]
        guard let signer else { return document + feed }
        return document + feed + (try Signatures.line(of: document, tag: tag, by: signer)) + feed
    }

    /// - Parameter trusted: whose signatures count; nil where none is needed.
    static func decode(_ bytes: [UInt8], key: Digest, trusted: [PublicSigningKey]?) -> Reading {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        let document = Array(bytes[..<end])
        if let trusted {
            let rest = bytes[end...].drop { $0 == UInt8(ascii: "\n") }
            let problem = Signatures.distrust(of: document, tag: tag, signatures: rest, trusted: trusted)
            if let problem { return .untrusted(problem) }
        }
        do {
            return .usable(try ActionResult(document: document, for: key))
        } catch let error as ContentStoreError {
            return .unusable(error.problem)
        } catch {
            return .unusable("it cannot be read")
        }
    }
}
