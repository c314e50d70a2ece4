import Glibc

extension LocalStore {
    /// Removes what no root, no running process and no recent result needs.
    ///
    /// Processes may go on using the store meanwhile: what they find present stays until they close it.
    ///
    /// - Parameters:
    ///   - grace: What was written less than this many seconds ago stays.
    ///   - dryRun: Only says what would be removed.
    /// - Throws: ``ContentStoreError``: `malformed` or `missingBlob` where a root cannot be read or has lost a manifest;
    ///   then nothing is removed, because what it needs is not known.
    public func collect(grace: Int = 3600, dryRun: Bool = true) throws -> Collection {
        _ = try writing()
        try flush()
        let collector = try FileLock.acquire(layout.collectorLock)
        defer { collector.release() }
        let sessions = try FileLock.acquire(layout.sessionsLock)
        StoreSession.removeDead(
            (try FileSystem.names(in: layout.temporary) ?? []).map { "\(layout.temporary)/\($0)" })
        sessions.release()

        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var marking = Marking(self, young: (time.tv_sec - grace) * 1_000_000_000 + time.tv_nsec)
        let (collection, garbage) = try marking.mark(dryRun: dryRun)
        guard !dryRun else { return collection }
        try removeResumeDirectories(olderThan: time.tv_sec - max(grace, 14 * 86_400))
        return try sweep(garbage, &marking, collection)
    }

    private func sweep(
        _ garbage: (actions: [StoreContents.Item], blobs: [StoreContents.Item]), _ marking: inout Marking,
        _ marked: Collection
    ) throws -> Collection {
        var collection = marked
        (collection.actions, collection.blobs, collection.removed) = ([], [], Collection.Amount())
        // Results go first: whatever interrupts this, no result is left without its blobs.
        for (items, isAction) in [(garbage.actions, true), (garbage.blobs, false)] {
            var position = 0
            while position < items.count {
                let batch = items[position..<min(position + 256, items.count)]
                position = batch.endIndex
                let gate = try FileLock.acquire(layout.gate)
                defer { gate.release() }
                try marking.refreshUses()
                for item in batch {
                    if isAction ? marking.isActionInUse(item.digest) : marking.isBlobInUse(item.digest) {
                        collection.keptInUse.add(item)
                        continue
                    }
                    try FileSystem.remove(item.path)
                    collection.removed.add(item)
                    if isAction { collection.actions.append(item.digest) } else { collection.blobs.append(item.digest) }
                }
            }
        }
        return collection
    }
}

/// Finds out what has to stay.
private struct Marking {
    private let store: LocalStore
    /// What was modified after this, in nanoseconds since 1970, stays.
    private let young: Int
    private var uses = SessionUses()
    private var usedBlobs: Set<Digest> = []

    init(_ store: LocalStore, young: Int) {
        self.store = store
        self.young = young
    }

    func isActionInUse(_ key: Digest) -> Bool { uses.digests.contains(key) }
    func isBlobInUse(_ digest: Digest) -> Bool { uses.digests.contains(digest) || usedBlobs.contains(digest) }

    /// Reads what sessions have recorded since the last time.
    mutating func refreshUses() throws {
        for digest in try uses.refresh(store.layout) {
            if let result = try result(for: digest) { usedBlobs.formUnion(result.references) }
        }
    }

    mutating func mark(
        dryRun: Bool
    ) throws -> (Collection, (actions: [StoreContents.Item], blobs: [StoreContents.Item])) {
        let roots = try store.roots()
        try refreshUses()
        let actions = try StoreContents.actions(store.layout).items
        let blobs = try StoreContents.blobs(store.layout).items

        // For each file the first reason to keep it: a root's index, or one of those below.
        let (inUse, recent) = (roots.count, roots.count + 1)
        var keptActions: [Digest: Int] = [:]
        var keptBlobs: [Digest: Int] = [:]
        func keep(_ digest: Digest, _ reason: Int, in kept: inout [Digest: Int]) {
            if kept[digest] == nil { kept[digest] = reason }
        }
        for (reason, root) in roots.enumerated() {
            for key in root.actions { keep(key, reason, in: &keptActions) }
            for digest in root.artifacts {
                keep(digest, reason, in: &keptBlobs)
                for blob in try artifact(digest, of: root).blobs { keep(blob, reason, in: &keptBlobs) }
            }
        }
        for item in actions {
            if isActionInUse(item.digest) { keep(item.digest, inUse, in: &keptActions) }
            if item.modified > young { keep(item.digest, recent, in: &keptActions) }
        }
        // In the order of the reasons, so that what several need is counted for the first.
        let needing = actions.compactMap { item in keptActions[item.digest].map { (reason: $0, key: item.digest) } }
        for (reason, key) in needing.sorted(by: { ($0.reason, $0.key) < ($1.reason, $1.key) }) {
            for blob in try result(for: key)?.references ?? [] { keep(blob, reason, in: &keptBlobs) }
        }
        for item in blobs {
            if isBlobInUse(item.digest) { keep(item.digest, inUse, in: &keptBlobs) }
            if item.modified > young { keep(item.digest, recent, in: &keptBlobs) }
        }

        var collection = Collection(isDryRun: dryRun)
        var amounts = [Collection.Amount](repeating: .init(), count: roots.count + 2)
        var garbage: (actions: [StoreContents.Item], blobs: [StoreContents.Item]) = ([], [])
        for item in actions {
            if let reason = keptActions[item.digest] { amounts[reason].add(item) } else { garbage.actions.append(item) }
        }
        for item in blobs {
            if let reason = keptBlobs[item.digest] { amounts[reason].add(item) } else { garbage.blobs.append(item) }
        }
        collection.actions = garbage.actions.map(\.digest)
        collection.blobs = garbage.blobs.map(\.digest)
        for item in garbage.actions + garbage.blobs { collection.removed.add(item) }
        collection.keptByRoot = zip(roots, amounts).map { ($0.name, $1) }
        collection.keptInUse = amounts[inUse]
        collection.keptRecent = amounts[recent]
        return (collection, garbage)
    }

    /// The result of a key; nil where there is none, or none that can be used.
    private func result(for key: Digest) throws -> ActionResult? {
        guard let bytes = try FileSystem.contents(of: store.layout.action(key), limit: ActionDocument.maximumBytes)
        else { return nil }
        switch ActionDocument.decode(bytes, key: key) {
        case .result(let result): return result
        case .unusable: return nil
        case .newer(let format): throw ActionDocument.newer(store.layout.action(key), format)
        }
    }

    private func artifact(_ digest: Digest, of root: Root) throws -> Artifact {
        do {
            return try store.readArtifact(digest)
        } catch let error as ContentStoreError {
            throw ContentStoreError(
                error.code, "the root \(root.name)", "its artifact \(digest.short) cannot be read (\(error.problem))",
                remedy: "remove the root, or run what makes the artifact again", errno: error.errno)
        }
    }
}

/// What all sessions together have recorded, read bit by bit.
private struct SessionUses {
    private(set) var digests: Set<Digest> = []
    /// How much of each log has been read.
    private var offsets: [String: Int] = [:]

    /// Reads on. Returns what is new.
    mutating func refresh(_ layout: StoreLayout) throws -> [Digest] {
        var new: [Digest] = []
        for session in try FileSystem.names(in: layout.temporary) ?? [] {
            let path = "\(layout.temporary)/\(session)/\(UseLog.name)"
            let offset = offsets[path] ?? 0
            guard let status = try FileSystem.status(of: path), status.bytes >= offset + 32,
                let file = try FileSystem.openIfPresent(path)
            else { continue }
            guard lseek(file.raw, offset, SEEK_SET) == offset else { throw FileSystem.failure("reading", path) }
            let bytes = try FileSystem.contents(of: file, path, count: (status.bytes - offset) / 32 * 32)
            bytes.withUnsafeBytes { buffer in
                for start in stride(from: 0, to: buffer.count / 32 * 32, by: 32) {
                    let digest = Digest(raw: UnsafeRawBufferPointer(rebasing: buffer[start..<start + 32]))
                    if digests.insert(digest).inserted { new.append(digest) }
                }
            }
            offsets[path] = offset + bytes.count / 32 * 32
        }
        return new
    }
}
