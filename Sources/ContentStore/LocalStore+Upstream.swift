import Glibc
import Synchronization

/// A store with something behind it: what is not here is fetched when it is read.
extension LocalStore {
    /// Puts `upstream` behind this store, for as long as it is open. Done before it is used.
    public func attach(_ upstream: any Upstream) { attached.withLock { $0 = upstream } }

    var upstream: (any Upstream)? { attached.withLock { $0 } }

    /// Those of `digests` that are neither here nor to be had from upstream.
    func unavailable(among digests: [Digest]) throws -> [Digest] {
        let absent = try protecting(digests) { try self.absent(among: digests) }
        guard !absent.isEmpty, let upstream else { return absent }
        // Outside the gate: a collection must not wait for the network.
        let available = upstream.available(among: absent)
        return absent.filter { !available.contains($0) }
    }

    /// Fetches a blob from upstream, verifies it and keeps it.
    ///
    /// - Parameter isOneOfMany: It becomes durable with the next commit, which somebody else starts.
    /// - Throws: ``ContentStoreError``: `missingBlob` where it cannot be had, `tooLarge`, or `system`.
    func fetch(_ digest: Digest, limit: Int, isOneOfMany: Bool = false) throws {
        guard let upstream else { throw missingBlob(digest) }
        // Many actions start by reading the same blob at once: one of them fetches it.
        let stripe = Int(truncatingIfNeeded: digest.leadingBits % UInt64(LocalStore.fetchStripes))
        try fetching[stripe].mutex.withLock { _ in
            guard try !absent(among: [digest]).isEmpty else { return }
            let temporary = try temporaryPath()
            if let reason = upstream.fetch(digest, limit: limit, to: temporary) {
                _ = unlink(temporary)
                throw missingBlob(digest, because: reason)
            }
            do {
                try take(digest, at: temporary, limit: limit)
                if !isOneOfMany { startCommit() }
            } catch let error as ContentStoreError where error.code == .corruptBlob {
                upstream.rejected(digest, error.problem)
                throw missingBlob(digest, because: "what came for it is damaged: \(error.problem)")
            }
        }
    }

    static let fetchStripes = 64

    final class FetchStripe: Sendable {
        let mutex = Mutex(())
    }

    /// Verifies a file that came from elsewhere and takes it over as the content of `digest`; the file is gone then.
    ///
    /// The file holds zstd frames as this store writes them, any other zstd stream, or plain content. It lies where
    /// ``makeTransferPath()`` said.
    ///
    /// - Parameters:
    ///   - limit: The promised size: nothing larger is decompressed.
    ///   - incoming: What has verified the file while it arrived, if something has.
    /// - Throws: ``ContentStoreError``: `corruptBlob` for other content, `tooLarge`, or `system`.
    public func accept(_ digest: Digest, at path: String, limit: Int, incoming: IncomingBlob? = nil) throws {
        try take(digest, at: path, limit: limit, incoming: incoming)
        startCommit()
    }

    /// As ``accept(_:at:limit:incoming:)``, for one of many: it becomes durable with the next commit, which the caller
    /// starts.
    public func take(_ digest: Digest, at path: String, limit: Int, incoming: IncomingBlob? = nil) throws {
        do {
            if try incoming?.isIntact() ?? false || isOwnFrames(path, digest, limit: limit) {
                adopt(digest, path)
            } else {
                defer { _ = unlink(path) }
                adopt(digest, try rewriting(path, digest, limit: limit))
            }
        } catch let refusal as BlobFile.Refusal {
            _ = unlink(path)
            switch refusal {
            case .damaged(let problem):
                throw ContentStoreError(
                    .corruptBlob, "blob \(digest.short)", problem, remedy: "push it again from a store that holds it")
            case .tooLarge(let bytes): throw tooLarge(digest, bytes, limit: limit)
            }
        }
        state.withLock { $0.noteVerified(digest) }
    }

    /// Begins to make durable what has been written so far, without waiting for it.
    public func startCommit() { commits.add(CommitQueue.Request(key: nil, completion: { _ in })) { self.commit($0) } }

    /// What is wrong with a file that should hold the content of `digest`; nil where it does.
    public func problem(ofFileAt path: String, for digest: Digest) throws -> String? {
        do {
            if try isOwnFrames(path, digest, limit: 1 << 60) { return nil }
            _ = unlink(try rewriting(path, digest, limit: 1 << 60))
            return nil
        } catch let refusal as BlobFile.Refusal {
            if case .damaged(let problem) = refusal { return problem }
            return "its content is larger than any blob"
        }
    }

    /// The keys of all results here, sorted. O(results).
    public func actionKeys() throws -> [Digest] { try StoreContents.actions(layout).items.map(\.digest) }

    /// A file with the same content as this store would have written it.
    private func rewriting(_ path: String, _ digest: Digest, limit: Int) throws -> String {
        let rewritten = try temporaryPath()
        do {
            for form in try ForeignBlob.forms(of: path) {
                // Plain content may begin as a zstd stream does: the digest says which it is.
                let content = try? ForeignBlob.rewrite(
                    path, as: form, to: rewritten, level: compressionLevel, limit: limit)
                if content?.digest == digest { return rewritten }
            }
            throw BlobFile.Refusal.damaged("its content has another digest")
        } catch {
            _ = unlink(rewritten)
            throw error
        }
    }

    /// Whether the file is what this store would have written; false for bytes that are to be looked at more closely.
    private func isOwnFrames(_ path: String, _ digest: Digest, limit: Int) throws -> Bool {
        let file = try FileSystem.open(path, O_RDONLY | O_NOFOLLOW, doing: "reading")
        do {
            _ = try BlobFile.check(file, path, limit: limit, digest: digest)
            return true
        } catch let refusal as BlobFile.Refusal {
            if case .damaged = refusal { return false }
            throw refusal
        }
    }

    /// A path on the store's file system for a file that is being fetched. It goes with the process at the latest.
    public func makeTransferPath() throws -> String { try temporaryPath() }

    /// The file of a blob as it lies here: zstd frames. Nil where it is not here.
    public func blobFile(_ digest: Digest) throws -> (path: String, bytes: Int)? {
        let pending = state.withLock { $0.pendingBlobs[digest] }
        for path in [pending, layout.blob(digest)].compactMap({ $0 }) {
            if let status = try FileSystem.status(of: path), status.kind == .file, status.bytes > 0 {
                return (path, status.bytes)
            }
        }
        return nil
    }

    /// Results that upstream gave, kept here; those whose blobs cannot be had are left out.
    func resultsFromUpstream(_ keys: [Digest], _ upstream: any Upstream) throws -> [Digest: ActionResult] {
        guard !keys.isEmpty else { return [:] }
        var results = upstream.results(for: keys)
        let lost = Set(try unavailable(among: Digest.sortedSet(results.values.flatMap(\.references))))
        if !lost.isEmpty { results = results.filter { !$0.value.references.contains(where: lost.contains) } }
        if access == .readWrite {
            for (key, result) in results { try keep(result, for: key) { _ in } }
        }
        return results
    }
}
