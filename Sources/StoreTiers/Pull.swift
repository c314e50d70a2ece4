import ContentStore
import Glibc
import Synchronization

/// Fetches blobs into a local store before anybody reads them.
public struct Pull: Sendable {
    public struct Report: Sendable {
        public var fetched = 0
        public var alreadyHere = 0
        /// Blobs that no tier could give, and why.
        public var missing: [(digest: Digest, reason: String)] = []

        public init() {}
    }

    private let tiers: TierSet
    private let store: LocalStore
    private let onProgress: @Sendable (_ done: Int, _ total: Int) -> Void

    public init(
        from tiers: TierSet, to store: LocalStore,
        onProgress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) {
        self.tiers = tiers
        self.store = store
        self.onProgress = onProgress
    }

    /// Fetches and verifies the blobs of an artifact, its manifest included.
    ///
    /// - Throws: ``ContentStoreError`` where the manifest cannot be had, or the local store cannot be written.
    public func fetch(artifact digest: Digest) async throws -> Report {
        try await fetch(try await manifest(digest).sizedBlobs)
    }

    private func manifest(_ digest: Digest) async throws -> Artifact {
        let report = try await fetch([(digest, Artifact.maximumManifestBytes)])
        if let missing = report.missing.first {
            throw ContentStoreError(
                .missingBlob, "the artifact \(digest.short)", missing.reason,
                remedy: "check the digest, and that a tier holds it")
        }
        return try store.readArtifact(digest)
    }

    /// Fetches and verifies blobs of the given sizes; those that are here already are left alone.
    ///
    /// - Throws: ``ContentStoreError`` where the local store cannot be written.
    public func fetch(_ blobs: [(digest: Digest, bytes: Int)]) async throws -> Report {
        let sizes = Dictionary(blobs.map { ($0.digest, $0.bytes) }, uniquingKeysWith: max)
        let wanted = sizes.keys.sorted()
        let absent = try wanted.filter { try store.blobFile($0) == nil }
        let done = Mutex(0)
        let uncommitted = Mutex((blobs: 0, bytes: 0))
        let reasons = try await concurrently(absent, width: 16) { digest -> String? in
            let reason = try await fetch(digest, limit: sizes[digest]!)
            let isBatch = uncommitted.withLock { batch in
                batch.blobs += 1
                batch.bytes += sizes[digest]!
                guard batch.blobs >= Self.batch.blobs || batch.bytes >= Self.batch.bytes else { return false }
                batch = (0, 0)
                return true
            }
            if isBatch { store.startCommit() }
            onProgress(
                done.withLock { done in
                    done += 1
                    return done
                }, absent.count)
            return reason
        }
        try store.flush()
        var report = Report()
        report.alreadyHere = wanted.count - absent.count
        for (digest, reason) in zip(absent, reasons) {
            if let reason { report.missing.append((digest, reason)) } else { report.fetched += 1 }
        }
        return report
    }

    /// How much is made durable together: waiting for the disk after each small blob would take longer than fetching it,
    /// and while the disk works, new files wait for it.
    private static let batch = (blobs: 16_384, bytes: 256 << 20)

    /// Returns why the blob cannot be had; nil when it is here.
    private func fetch(_ digest: Digest, limit: Int) async throws -> String? {
        let path = try store.makeTransferPath()
        let incoming = IncomingBlob(digest, limit: limit)
        let reason = await tiers.download(digest, limit: limit, to: path, check: incoming)
        if let reason {
            _ = unlink(path)
            return reason
        }
        do {
            try store.take(digest, at: path, limit: limit, incoming: incoming)
            return nil
        } catch let error as ContentStoreError where error.code == .corruptBlob || error.code == .tooLarge {
            tiers.rejected(digest, error.problem)
            return "what came for it is damaged: \(error.problem)"
        }
    }
}
