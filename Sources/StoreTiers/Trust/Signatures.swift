import CanonicalJSON
import HTTPTransport

/// Who vouches for a document: a line of JSON that stands below it.
///
/// ```
/// {"format":"retort-signatures/1","signatures":[{"key":"ed25519:…","signature":"…"}]}
/// ```
///
/// A signature is Ed25519 over a tag that says what kind of document it is, and the document.
enum Signatures {
    private static let format = "retort-signatures/1"
    static let maximumBytes = 64 << 10

    /// The line, without a line feed.
    static func line(of document: [UInt8], tag: String, by signer: SigningKey) throws -> [UInt8] {
        let signature = try signer.signature(of: Array(tag.utf8) + document)
        let line: JSON = [
            "format": .string(format),
            "signatures": [
                ["key": .string(signer.publicKey.description), "signature": .string(Base64.encode(signature))]
            ],
        ]
        return line.canonicalBytes
    }

    /// Whether bytes are such a line.
    static func isLine(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count <= maximumBytes && (try? JSON.parse(Array(bytes)))?["format"]?.string == format
    }

    /// Why nobody trusted vouches for the document; nil where somebody does.
    static func distrust(
        of document: [UInt8], tag: String, signatures: ArraySlice<UInt8>, trusted: [PublicSigningKey]
    ) -> String? {
        guard !signatures.isEmpty else { return "it is not signed" }
        guard signatures.count <= maximumBytes, let value = try? JSON.parse(Array(signatures)),
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
