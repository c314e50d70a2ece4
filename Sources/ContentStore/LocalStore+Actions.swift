import CanonicalJSON
import Glibc
import Synchronization

extension LocalStore {
    public func lookup(_ keys: [Digest]) throws -> [ActionLookup] {
        try protecting(keys) { try lookupUnprotected(keys) }
    }

    private func lookupUnprotected(_ keys: [Digest]) throws -> [ActionLookup] {
        let readings = try Parallel.map(keys, atLeast: 256) { try reading(of: $0) }
        let references = readings.flatMap { reading -> [Digest] in
            if case .result(let result) = reading { result.references } else { [] }
        }
        let absent = Set(try absent(among: references))
        return readings.map { reading in
            switch reading {
            case nil: return .miss
            case .unusable(let reason): return .unusable(reason: reason)
            case .result(let result):
                let lost = absent.isEmpty ? [] : result.references.filter(absent.contains)
                return lost.isEmpty ? .hit(outputs: result.outputs) : .lost(missing: lost)
            }
        }
    }

    public func result(for key: Digest) throws -> ActionResult? {
        switch try reading(of: key) {
        case nil: return nil
        case .result(let result): return result
        case .unusable(let reason):
            throw ContentStoreError(
                .malformed, "the result of action \(key.short)", reason, remedy: "run again: the action is run anew")
        }
    }

    private enum Reading {
        case result(ActionResult)
        case unusable(String)
    }

    private func reading(of key: Digest) throws -> Reading? {
        if let pending = state.withLock({ $0.pendingResults[key]?.result }) { return .result(pending) }
        let file = layout.action(key)
        let bytes: [UInt8]?
        do throws(ContentStoreError) {
            bytes = try FileSystem.contents(of: file, limit: ActionDocument.maximumBytes)
        } catch {
            guard error.code == .tooLarge || error.code == .unsupportedFile else { throw error }
            return .unusable(putAside(key, file, error.problem))
        }
        guard let bytes else { return nil }
        switch ActionDocument.decode(bytes, key: key) {
        case .result(let result): return .result(result)
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
