import ContentStore

/// The reports a pipeline ends in.
public enum ReportText {
    /// The Markdown of a report artifact; nil for an artifact of another type.
    public static func markdown(of artifact: Artifact, store: some BlobStore) throws -> String? {
        guard artifact.type == .report, let entry = artifact.tree.first(where: { $0.path == "report.md" }) else {
            return nil
        }
        return String(decoding: try store.read(entry.digest, bytes: entry.bytes), as: UTF8.self)
    }
}
