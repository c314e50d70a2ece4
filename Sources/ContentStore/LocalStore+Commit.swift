import Dispatch
import Glibc
import Synchronization

extension LocalStore {
    /// Keeps a result without waiting for the disk.
    ///
    /// The result can be looked up through this object at once. `completion` is called on a private thread when the
    /// result and all it references are durable and other processes see them, or with the error that prevented it;
    /// then the result is forgotten. Results submitted while others are being written are written together.
    ///
    /// - Parameter lacking: Blobs that the result may name although they are known to be gone: nobody has asked for
    ///   them, and looking the result up says which they are.
    /// - Throws: ``ContentStoreError``: `missingBlob` where another referenced blob is not in the store, or `system`.
    public func submit(
        _ result: ActionResult, for key: Digest, lacking: Set<Digest> = [],
        completion: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) throws {
        let absent = try absentReferences(of: result, key)
        // What was taken over from upstream need not have been fetched.
        let lost = try absent.isEmpty ? [] : unavailable(among: absent)
        if let first = lost.first(where: { !lacking.contains($0) }) { throw missingBlob(first) }
        // What is not whole here would not be whole elsewhere.
        let upstream = lost.isEmpty ? upstream : nil
        try keep(result, for: key) { outcome in
            if case .success = outcome { upstream?.published(key) }
            completion(outcome)
        }
    }

    /// The references of a result that are not here, all that are here being protected. In parts, so that the hundred
    /// thousand of a memo are not held several times over; and without a second look at those that this session has found
    /// in place and protects already.
    private func absentReferences(of result: ActionResult, _ key: Digest) throws -> [Digest] {
        try protecting([key]) {}
        let references = result.references
        return try stride(from: 0, to: references.count, by: LocalStore.referencesAtOnce).flatMap { start in
            let part = references[start..<min(references.count, start + LocalStore.referencesAtOnce)]
            let unknown = state.withLock { state in part.filter { !state.present.contains($0) } }
            return unknown.isEmpty ? [] : try protecting(unknown) { try self.absent(among: unknown) }
        }
    }

    private static let referencesAtOnce = 4096

    /// Keeps a result whose blobs may lie elsewhere.
    func keep(
        _ result: ActionResult, for key: Digest, completion: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) throws {
        let temporary = try temporaryPath()
        let document = ActionDocument.encode(result, key: key)
        try document.withUnsafeBytes { try FileSystem.create(temporary, $0) }
        let inode = try FileSystem.status(of: temporary)?.inode
        let superfluous = state.withLock { state -> String? in
            let replaced = state.pendingResults.updateValue(
                PendingResult(result: result, temporary: temporary, inode: inode), forKey: key)
            return replaced.flatMap { state.committing.contains($0.temporary) ? nil : $0.temporary }
        }
        if let superfluous { _ = unlink(superfluous) }
        commits.add(CommitQueue.Request(key: key, completion: completion)) { self.commit($0) }
    }

    /// Keeps a result; on return it is durable, and all it references too.
    public func publish(_ result: ActionResult, for key: Digest) throws { try publish(result, for: key, lacking: []) }

    /// Keeps a result some of whose blobs are known to be gone; on return it is durable.
    public func publish(_ result: ActionResult, for key: Digest, lacking: Set<Digest>) throws {
        try waiting { try submit(result, for: key, lacking: lacking, completion: $0) }
    }

    /// Waits until everything written and submitted before is durable.
    public func flush() throws {
        guard session != nil else { return }
        try waiting { completion in
            commits.add(CommitQueue.Request(key: nil, completion: completion)) { self.commit($0) }
        }
    }

    private func waiting(_ start: (@escaping CommitQueue.Completion) throws -> Void) throws {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<Void, any Error>>(.success(()))
        try start { result in
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        try outcome.withLock { $0 }.get()
    }

    /// Puts all pending blobs in place, then the requested results: their contents are durable before the first of them
    /// gets its name, and the names before anybody is told.
    ///
    /// The names of blobs and of results share a wait for the disk. A power failure may therefore leave a result without
    /// its blob; that is what looking it up finds out, and then it counts as lost.
    func commit(_ requests: [CommitQueue.Request]) {
        let keys = Digest.sortedSet(requests.compactMap(\.key))
        let (blobs, results) = state.withLock { state in
            let results = keys.compactMap { key in state.pendingResults[key].map { (key, $0.temporary) } }
            state.committing = Set(results.map(\.1))
            return (state.pendingBlobs.sorted { $0.key < $1.key }, results)
        }
        let outcome: Result<Void, any Error> = Result {
            try synchronize(blobs: blobs, results: results)
            var folders = try move(blobs.lazy.map { ($0.value, self.layout.blob($0.key)) }, under: layout.blobs)
            state.withLock { state in
                for (digest, temporary) in blobs {
                    if state.pendingBlobs[digest] == temporary { state.pendingBlobs[digest] = nil }
                    state.noteVerified(digest)
                }
            }
            folders += try move(results.map { ($0.1, layout.action($0.0)) }, under: layout.actions)
            try synchronize(folders, in: layout.local)
            addToIndex(results)
        }
        state.withLock { state in
            for (key, temporary) in results where state.pendingResults[key]?.temporary == temporary {
                state.pendingResults[key] = nil
            }
            state.committing = []
        }
        if case .failure = outcome {
            for (_, temporary) in results { _ = unlink(temporary) }
            forgetPlaced(blobs)
        }
        for request in requests { request.completion(outcome) }
    }

    /// After a commit that stopped half-way: what was moved before is no longer to be moved.
    private func forgetPlaced(_ blobs: [(key: Digest, value: String)]) {
        let moved = blobs.filter { Glibc.access($0.value, F_OK) != 0 }
        state.withLock { state in
            for (digest, temporary) in moved where state.pendingBlobs[digest] == temporary {
                state.pendingBlobs[digest] = nil
            }
        }
    }

    /// Copies results just put in place to the index. That is a convenience: its failure loses nothing.
    private func addToIndex(_ results: [(Digest, String)]) {
        let pending = state.withLock { $0.pendingResults }
        let entries = results.compactMap { key, temporary -> ActionIndex.Entry? in
            // Unless another result took the place already.
            guard let result = pending[key], result.temporary == temporary,
                let status = try? FileSystem.status(of: layout.action(key)), status.inode == result.inode
            else { return nil }
            return ActionIndex.Entry(
                key: key, file: status, outputs: result.result.outputs, references: result.result.references)
        }
        try? index.append(entries)
    }

    /// From how many files on the whole file system is flushed at once instead of each file: one wait for the disk
    /// costs as much as a few, but waits for what other programs have written, too.
    private static let wholesale = 16

    /// Flushes the temporary files. A blob that cannot be flushed is dropped: the system may have thrown its pages
    /// away, and a second attempt would wrongly succeed.
    private func synchronize(blobs: [(key: Digest, value: String)], results: [(Digest, String)]) throws {
        do {
            try synchronize(blobs.map(\.value) + results.map(\.1), in: layout.temporary)
        } catch {
            state.withLock { state in
                for (digest, temporary) in blobs where state.pendingBlobs[digest] == temporary {
                    state.pendingBlobs[digest] = nil
                }
            }
            for (_, temporary) in blobs { _ = unlink(temporary) }
            throw error
        }
    }

    private func synchronize(_ paths: [String], in folder: String) throws {
        if paths.count >= LocalStore.wholesale {
            try FileSystem.synchronizeFileSystem(of: folder)
        } else {
            for path in paths { try FileSystem.synchronize(path) }
        }
    }

    /// Moves files to where they belong. Returns the folders that have to be flushed.
    private func move(_ moves: some Sequence<(from: String, to: String)>, under top: String) throws -> [String] {
        var folders: [String] = []
        for move in moves {
            let folder = FileSystem.folder(of: move.to)
            if rename(move.from, move.to) != 0 {
                guard errno == ENOENT else { throw FileSystem.failure("moving a file to", move.to) }
                if try FileSystem.makeFolder(folder), folders.first != top { folders.insert(top, at: 0) }
                try FileSystem.rename(move.from, to: move.to)
            }
            if folders.last != folder { folders.append(folder) }
        }
        return folders
    }
}
