import CanonicalJSON

/// Roots name what garbage collection keeps: small documents under roots/, replaced atomically.
extension LocalStore {
    private static let maximumRootBytes = 64 << 20

    /// The document of a root, or nil where there is none.
    ///
    /// - Throws: ``ContentStoreError`` with code `malformed` for a file that is no JSON object.
    public func readRoot(_ name: String) throws -> JSONObject? {
        let file = rootFile(name)
        guard let bytes = try FileSystem.contents(of: file, limit: LocalStore.maximumRootBytes) else { return nil }
        guard let document = try? JSON.parse(bytes).object else {
            throw ContentStoreError(
                .malformed, file, "is no JSON object", remedy: "remove it: the next run writes it anew")
        }
        return document
    }

    /// Replaces a root; durable on return. The last of several writers wins.
    public func writeRoot(_ name: String, _ document: JSONObject) throws {
        let bytes = JSON.object(document).canonicalBytes + [UInt8(ascii: "\n")]
        try FileSystem.replace(rootFile(name), with: bytes, temporary: temporaryPath())
    }

    private func rootFile(_ name: String) -> String {
        precondition(!name.isEmpty && !name.contains("/") && !name.hasPrefix("."), "\(name) is no name of a root")
        return "\(layout.roots)/\(name).json"
    }
}
