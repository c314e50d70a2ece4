import CanonicalJSON
import Glibc

/// Which file of a store lies where.
struct StoreLayout: Sendable {
    static let formatVersion = 1

    let path: String

    var marker: String { "\(path)/store.json" }
    var blobs: String { "\(path)/blobs" }
    var actions: String { "\(path)/actions" }
    var roots: String { "\(path)/roots" }
    var quarantine: String { "\(path)/quarantine" }
    var local: String { "\(path)/local" }
    var temporary: String { "\(path)/local/tmp" }
    var actionIndex: String { "\(path)/local/actions.index" }
    var leases: String { "\(path)/local/leases" }
    /// What interrupted actions need to go on.
    var resume: String { "\(path)/local/resume" }
    /// Locked while a lease is taken from a holder that is as good as dead.
    var leasesLock: String { "\(path)/local/leases.lock" }
    /// Locked while a session starts or cleans up after others.
    var sessionsLock: String { "\(path)/local/sessions.lock" }
    /// Locked while a collection runs.
    var collectorLock: String { "\(path)/local/collector.lock" }
    /// See ``UseLog``.
    var gate: String { "\(path)/local/gate.lock" }

    private static let folders = ["blobs", "actions", "roots", "quarantine", "local", "local/tmp", "local/leases"]

    func blob(_ digest: Digest) -> String {
        let hex = digest.hex
        return "\(path)/blobs/\(hex.prefix(2))/\(hex).zst"
    }

    /// Calls `body` with ``blob(_:)`` as the system wants it, without making a string of it: a run in which nothing changed
    /// asks for a hundred thousand.
    func withBlob<Result>(_ digest: Digest, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        let count = path.utf8.count
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count + 79) { text in
            var end = text[..<count].update(fromContentsOf: path.utf8)
            func append(_ part: StaticString) {
                let part = UnsafeBufferPointer(start: part.utf8Start, count: part.utf8CodeUnitCount)
                end = text[end...].update(fromContentsOf: part)
            }
            append("/blobs/")
            digest.withRawBytes { raw in
                for (index, byte) in raw.enumerated() {
                    text[end + 3 + 2 * index] = Digest.digit(byte >> 4)
                    text[end + 4 + 2 * index] = Digest.digit(byte & 15)
                }
            }
            // The name's first two digits are the folder.
            (text[end], text[end + 1], text[end + 2]) = (text[end + 3], text[end + 4], UInt8(ascii: "/"))
            end += 67
            append(".zst")
            text[end] = 0
            return text.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
        }
    }

    func action(_ key: Digest) -> String {
        let hex = key.hex
        return "\(path)/actions/\(hex.prefix(2))/\(hex).json"
    }

    func lease(_ key: Digest) -> String { "\(leases)/\(key.hex)" }

    /// Makes the folders and the marker where they are missing.
    func create() throws(ContentStoreError) {
        if try checkMarker() {
            for folder in StoreLayout.folders { try FileSystem.makeFolder("\(path)/\(folder)") }
            return
        }
        try FileSystem.makeFolders(path)
        for folder in StoreLayout.folders { try FileSystem.makeFolder("\(path)/\(folder)") }
        // The marker comes last: a creation that is interrupted is taken up again by the next.
        let creating = try FileLock.acquire(sessionsLock)
        defer { creating.release() }
        if try checkMarker() { return }
        let document: JSON = ["format": .string("retort-store/\(StoreLayout.formatVersion)")]
        let temporary = "\(local)/store.json.new"
        try FileSystem.remove(temporary)
        try FileSystem.replace(marker, with: document.canonicalBytes + [UInt8(ascii: "\n")], temporary: temporary)
        try FileSystem.synchronize(FileSystem.folder(of: path))
    }

    /// Whether there is a store here that this program understands.
    ///
    /// - Returns: false for nothing, an empty folder, or a store whose creation was interrupted.
    @discardableResult
    func checkMarker() throws(ContentStoreError) -> Bool {
        if let bytes = try readMarker() {
            try checkFormat(bytes)
            return true
        }
        guard let names = try FileSystem.names(in: path) else { return false }
        // Another process may have made the store since the marker was looked for.
        if names.contains("store.json"), let bytes = try readMarker() {
            try checkFormat(bytes)
            return true
        }
        let own = Set(StoreLayout.folders + ["README.md"])
        if let foreign = names.first(where: { !own.contains($0) && !$0.hasPrefix(".") }) {
            throw ContentStoreError(
                .notAStore, path, "this folder is no Retort store: it has no store.json, but holds \(foreign)",
                remedy: "choose another folder with --store, or an empty one")
        }
        return false
    }

    private func readMarker() throws(ContentStoreError) -> [UInt8]? {
        do throws(ContentStoreError) {
            return try FileSystem.contents(of: marker, limit: 1 << 16)
        } catch {
            guard error.errno == ENOTDIR else { throw error }
            throw ContentStoreError(
                .notAStore, path, "this is a file, not a folder", remedy: "choose another path with --store",
                errno: ENOTDIR)
        }
    }

    private func checkFormat(_ bytes: [UInt8]) throws(ContentStoreError) {
        let text = (try? JSON.parse(bytes))?["format"]?.string ?? ""
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "retort-store", let version = Int(parts[1]), version >= 1 else {
            throw ContentStoreError(
                .notAStore, marker, "this file does not say that its folder is a Retort store",
                remedy:
                    "restore it (retort-store/\(StoreLayout.formatVersion) in \"format\"), or choose another folder "
                    + "with --store")
        }
        guard version <= StoreLayout.formatVersion else {
            throw ContentStoreError(
                .newerFormat, path,
                "this store was made by a newer Retort (store format \(version); this program knows "
                    + "\(StoreLayout.formatVersion))", remedy: "update Retort, or choose another folder with --store")
        }
    }
}
