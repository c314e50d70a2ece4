import Glibc

/// What lies in a store's folders, by name.
struct StoreContents {
    struct Item: Sendable, Equatable {
        var digest: Digest
        var path: String
        var bytes: Int
        /// Nanoseconds since 1970.
        var modified: Int
    }

    /// In the order of the digests.
    var items: [Item] = []
    /// Files that are not named as they should be.
    var strays: [String] = []

    /// - Parameter suffix: How the names of items end, after the digest.
    init(of top: String, suffix: String) throws {
        for folder in try FileSystem.names(in: top) ?? [] {
            guard try FileSystem.status(of: "\(top)/\(folder)")?.kind == .directory else {
                strays.append("\(top)/\(folder)")
                continue
            }
            for name in try FileSystem.names(in: "\(top)/\(folder)") ?? [] {
                let path = "\(top)/\(folder)/\(name)"
                // A file removed since the folder was listed is no longer part of the contents.
                guard let status = try FileSystem.status(of: path) else { continue }
                if status.kind == .file, name.hasSuffix(suffix), name.hasPrefix(folder),
                    let digest = Digest(hex: name.dropLast(suffix.count))
                {
                    items.append(Item(digest: digest, path: path, bytes: status.bytes, modified: status.modified))
                } else {
                    strays.append(path)
                }
            }
        }
    }

    static func blobs(_ layout: StoreLayout) throws -> StoreContents {
        try StoreContents(of: layout.blobs, suffix: ".zst")
    }

    static func actions(_ layout: StoreLayout) throws -> StoreContents {
        try StoreContents(of: layout.actions, suffix: ".json")
    }
}

/// How much a store holds.
public struct StoreStatistics: Sendable, Equatable {
    public var blobs = 0
    /// On the disk, compressed.
    public var blobBytes = 0
    public var actions = 0
    public var actionBytes = 0
    /// Files that failed verification.
    public var quarantined = 0
    public var quarantinedBytes = 0
    public var roots = 0
}

extension LocalStore {
    /// Counts what is in place. O(files).
    public func statistics() throws -> StoreStatistics {
        let blobs = try StoreContents.blobs(layout).items
        let actions = try StoreContents.actions(layout).items
        var statistics = StoreStatistics()
        statistics.blobs = blobs.count
        statistics.blobBytes = blobs.reduce(0) { $0 + $1.bytes }
        statistics.actions = actions.count
        statistics.actionBytes = actions.reduce(0) { $0 + $1.bytes }
        for name in try FileSystem.names(in: layout.quarantine) ?? [] {
            statistics.quarantined += 1
            statistics.quarantinedBytes += try FileSystem.status(of: "\(layout.quarantine)/\(name)")?.bytes ?? 0
        }
        // A root may have a log beside it, or nothing but a log; one without keys says nothing yet.
        let names = try (FileSystem.names(in: layout.roots) ?? []).filter {
            try !$0.hasSuffix(RootLog.fileExtension) || FileSystem.status(of: "\(layout.roots)/\($0)")?.bytes ?? 0 >= 32
        }
        statistics.roots = Set(names.map { $0.split(separator: ".").dropLast().joined(separator: ".") }).count
        return statistics
    }
}
