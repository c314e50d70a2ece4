import CanonicalJSON

/// Small documents about this machine's runs, under local/: replaced atomically, never shared, never collected.
extension LocalStore {
    private static let maximumDocumentBytes = 64 << 20

    /// A document, or nil where there is none.
    ///
    /// - Throws: ``ContentStoreError`` with code `malformed` for a file that is no JSON object.
    public func readDocument(_ name: String) throws -> JSONObject? {
        let file = documentFile(name)
        guard let bytes = try FileSystem.contents(of: file, limit: LocalStore.maximumDocumentBytes) else { return nil }
        guard let document = try? JSON.parse(bytes).object else {
            throw ContentStoreError(
                .malformed, file, "is no JSON object", remedy: "remove it: the next run writes it anew")
        }
        return document
    }

    /// Replaces a document; durable on return. The last of several writers wins.
    public func writeDocument(_ name: String, _ document: JSONObject) throws {
        let bytes = JSON.object(document).canonicalBytes + [UInt8(ascii: "\n")]
        try FileSystem.replace(documentFile(name), with: bytes, temporary: temporaryPath())
    }

    private func documentFile(_ name: String) -> String {
        precondition(!name.isEmpty && !name.contains("/") && !name.hasPrefix("."), "\(name) is no document's name")
        return "\(layout.local)/\(name).json"
    }
}
