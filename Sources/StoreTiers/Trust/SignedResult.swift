import CanonicalJSON
import ContentStore
import HTTPTransport

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
    private static let format = "retort-signatures/1"
    static let maximumBytes = ActionResult.maximumDocumentBytes + 64 << 10

    enum Reading: Sendable, Equatable {
        case usable(ActionResult)
        /// Somebody's result, but nobody's that is trusted.
        case untrusted(String)
        /// Damaged, or not of this format.
        case unusable(String)
    }

    static func encode(_ document: [UInt8], signer: SigningKey?) throws -> [UInt8] {
        guard let signer else { return document + [UInt8(ascii: "\n")] }
        let signature = try signer.signature(of: Array(tag.utf8) + document)
        let line: JSON = [
            "format": .string(format),
            "signatures": [
                ["key": .string(signer.publicKey.description), "signature": .string(Base64.encode(signature))]
            ],
        ]
        return document + [UInt8(ascii: "\n")] + line.canonicalBytes + [UInt8(ascii: "\n")]
    }

    /// - Parameter trusted: whose signatures count; nil where none is needed.
    static func decode(_ bytes: [UInt8], key: Digest, trusted: [PublicSigningKey]?) -> Reading {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        let document = Array(bytes[..<end])
        if let trusted {
            let rest = bytes[end...].drop { $0 == UInt8(ascii: "\n") }
            if let problem = distrust(of: document, signatures: rest, trusted) { return .untrusted(problem) }
        }
        do {
            return .usable(try ActionResult(document: document, for: key))
        } catch let error as ContentStoreError {
            return .unusable(error.problem)
        } catch {
            return .unusable("it cannot be read")
        }
    }

    /// Why nobody trusted vouches for the document; nil where somebody does.
    private static func distrust(
        of document: [UInt8], signatures: ArraySlice<UInt8>, _ trusted: [PublicSigningKey]
    ) -> String? {
        guard !signatures.isEmpty else { return "it is not signed" }
        guard signatures.count <= 64 << 10, let value = try? JSON.parse(Array(signatures)),
            value["format"]?.string == format, let entries = value["signatures"]?.array
        else { return "its signatures cannot be read" }
        let message = Array(tag.utf8) + document
        var foreign: String?
        for entry in entries {
            guard let text = entry["key"]?.string, let key = PublicSigningKey(text),
                let signature = entry["signature"]?.string.flatMap({ Base64.decode($0) })
            else { return "its signatures cannot be read" }
            guard trusted.contains(key) else {
                foreign = foreign ?? "it is signed by \(key), whom this tier's configuration does not trust"
                continue
            }
            if key.verifies(signature, of: message) { return nil }
            return "it was altered: the signature of \(key) does not fit it"
        }
        return foreign ?? "it is not signed"
    }
}
