import ContentStore

/// Which blobs of a tier this machine has found intact, and how they lay there then.
///
/// Reading everything a tier holds, to find what is damaged, would make each push as expensive as the tier is large. So
/// a push compares size and validator (ETag, or time and inode) with what they were when the content was last verified
/// or sent, and reads only what is new to this machine or has changed since. An entry is the digest and the first eight
/// bytes of a SHA-256 of the status. The file may be removed at any time; then everything is read again.
struct CheckedBlobs: Sendable {
    private static let entryBytes = 40
    private let log: EntryLog

    init(_ store: LocalStore, tier: String) {
        log = EntryLog(
            path: "\(store.localDirectory)/tier-\(Digest(of: tier).short).checked", entryBytes: Self.entryBytes)
    }

    /// The marks of intact blobs. O(size of the file).
    func marks() throws -> [Digest: [UInt8]] {
        var marks: [Digest: [UInt8]] = [:]
        try log.read { entry in
            guard let digest = Digest(bytes: Array(entry[..<32])) else { return }
            let mark = Array(entry[32...])
            marks[digest] = mark == Self.none ? nil : mark
        }
        return marks
    }

    /// Notes that these blobs are intact and lie there so.
    func note(_ intact: [(digest: Digest, status: ObjectStatus)]) throws {
        try log.append(intact.flatMap { $0.digest.bytes + Self.mark($0.status) })
    }

    /// Has these blobs read again.
    func forget(_ digests: [Digest]) throws { try log.append(digests.flatMap { $0.bytes + Self.none }) }

    private static let none = [UInt8](repeating: 0, count: 8)

    /// What tells one state of an object from another.
    static func mark(_ status: ObjectStatus) -> [UInt8] {
        let text = "\(status.bytes.map(String.init) ?? "?") \(status.validator ?? "?")"
        return Array(Digest(of: text).bytes.prefix(8))
    }
}
