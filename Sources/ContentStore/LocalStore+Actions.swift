import CanonicalJSON
import Glibc
import Synchronization

extension LocalStore {
    public func lookup(_ keys: [Digest]) throws -> [ActionLookup] {
        let (found, absent) = try protecting(keys) { try lookupUnprotected(keys) }
        let elsewhere = absent.isEmpty ? [] : upstream?.available(among: absent.sorted()) ?? []
        var lookups = found.map { $0.lookup(absent: absent.subtracting(elsewhere)) }
        guard let upstream else { return lookups }
        let unknown = zip(keys, lookups).filter { $1.outputs == nil }.map(\.0)
        let results = try resultsFromUpstream(unknown, upstream)
        for (index, key) in keys.enumerated() where lookups[index].outputs == nil {
            if let result = results[key] { lookups[index] = .hit(outputs: result.outputs) }
        }
        return lookups
    }

    /// From how many keys on the index is worth loading.
    private static let wholesaleLookup = 32

    /// What is here, and which of the blobs it needs are not.
    private func lookupUnprotected(_ keys: [Digest]) throws -> ([Found], absent: Set<Digest>) {
        let indexed =
            keys.count >= LocalStore.wholesaleLookup
            ? try index.entries(for: keys) : Array(repeating: nil, count: keys.count)
        let found = try Parallel.map(Array(zip(keys, indexed)), atLeast: 128) { key, entry in
            try outputs(of: key, indexed: entry)
        }
        if access == .readWrite, keys.count >= LocalStore.wholesaleLookup {
            // The index is only a copy: a disk too full for it is no reason to fail.
            try? index.append(found.compactMap(\.unindexed))
        }
        // The keys are protected, and with them what their results name. Where nothing is, it may be collected meanwhile.
        return (found, Set(try absent(among: found.flatMap(\.references), noting: session != nil)))
    }

    private enum Found {
        case nothing
        case unusable(String)
        /// With the entry that the index lacks.
        case known(JSON, [Digest], unindexed: ActionIndex.Entry?)

        var references: [Digest] { if case .known(_, let references, _) = self { references } else { [] } }
        var unindexed: ActionIndex.Entry? { if case .known(_, _, let entry) = self { entry } else { nil } }

        func lookup(absent: Set<Digest>) -> ActionLookup {
            switch self {
            case .nothing: return .miss
            case .unusable(let reason): return .unusable(reason: reason)
            case .known(let outputs, let references, _):
                let lost = absent.isEmpty ? [] : references.filter(absent.contains)
                return lost.isEmpty ? .hit(outputs: outputs) : .lost(outputs: outputs, missing: lost)
            }
        }
    }

    private func outputs(of key: Digest, indexed entry: ActionIndex.Entry?) throws -> Found {
        if let entry, let status = try FileSystem.status(of: layout.action(key)), status.isSameVersion(as: entry.file),
            !state.withLock({ $0.pendingResults[key] != nil })
        {
            return .known(entry.outputs, entry.references, unindexed: nil)
        }
        switch try reading(of: key) {
        case nil: return .nothing
        case .unusable(let reason): return .unusable(reason)
        case .result(let result, let status):
            let unindexed = status.map {
                ActionIndex.Entry(key: key, file: $0, outputs: result.outputs, references: result.references)
            }
            return .known(result.outputs, result.references, unindexed: unindexed)
        }
    }

    public func result(for key: Digest) throws -> ActionResult? {
        switch try reading(of: key) {
        case nil: return nil
        case .result(let result, _): return result
        case .unusable(let reason):
            throw ContentStoreError(
                .malformed, "the result of action \(key.short)", reason, remedy: "run again: the action is run anew")
        }
    }

    private enum Reading {
        /// With the status of its file, unless it is still to be put in place.
        case result(ActionResult, FileStatus?)
        case unusable(String)
    }

    private func reading(of key: Digest) throws -> Reading? {
        if let pending = state.withLock({ $0.pendingResults[key]?.result }) { return .result(pending, nil) }
        let file = layout.action(key)
        let contents: (bytes: [UInt8], status: FileStatus)?
        do throws(ContentStoreError) {
            contents = try FileSystem.contentsAndStatus(of: file, limit: ActionDocument.maximumBytes)
        } catch {
            guard error.code == .tooLarge || error.code == .unsupportedFile else { throw error }
            return .unusable(putAside(key, file, error.problem))
        }
        guard let contents else { return nil }
        switch ActionDocument.decode(contents.bytes, key: key) {
        case .result(let result): return .result(result, contents.status)
        case .unusable(let reason): return .unusable(putAside(key, file, reason))
        case .newer(let format): throw ActionDocument.newer(file, format)
        }
    }

    /// Moves an unusable result to the quarantine. Returns the reason with the place.
    private func putAside(_ key: Digest, _ file: String, _ reason: String) -> String {
        guard access == .readWrite, rename(file, "\(layout.quarantine)/\(key.hex).json") == 0 else {
            return "\(file): \(reason)"
        }
        return "\(file): \(reason) (it was moved to \(layout.quarantine))"
    }
}
