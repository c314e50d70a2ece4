import Glibc
import Synchronization

extension LocalStore {
    /// Opens a blob and hands it to `body`; what `body` finds wrong becomes an error, damage also a quarantine.
    ///
    /// A blob that is not here, or damaged, is fetched from upstream where it can be had.
    func reading<Value>(
        _ digest: Digest, limit: Int,
        _ body: (_ file: borrowing Descriptor, _ path: String, _ isVerified: Bool) throws -> Value
    ) throws -> Value {
        do {
            return try readingLocally(digest, limit: limit, body)
        } catch let error as ContentStoreError where error.code == .missingBlob || error.code == .corruptBlob {
            guard upstream != nil else { throw error }
            do {
                try fetch(digest, limit: limit)
            } catch let fetching as ContentStoreError where fetching.code == .missingBlob {
                throw error.code == .missingBlob ? fetching : error
            }
            return try readingLocally(digest, limit: limit, body)
        }
    }

    private func readingLocally<Value>(
        _ digest: Digest, limit: Int,
        _ body: (_ file: borrowing Descriptor, _ path: String, _ isVerified: Bool) throws -> Value
    ) throws -> Value {
        let (pending, isVerified) = state.withLock { ($0.pendingBlobs[digest], $0.verified.contains(digest)) }
        do {
            let value: Value
            // A pending blob may be moved into place between the two lines.
            if let pending, let file = try FileSystem.openIfPresent(pending) {
                value = try body(file, pending, isVerified)
            } else if let file = try FileSystem.openIfPresent(layout.blob(digest)) {
                value = try body(file, layout.blob(digest), isVerified)
            } else {
                state.withLock { $0.forget(digest) }
                throw missingBlob(digest)
            }
            if !isVerified { state.withLock { $0.noteVerified(digest) } }
            return value
        } catch let refusal as BlobFile.Refusal {
            switch refusal {
            case .damaged(let problem): throw quarantine(digest, problem)
            case .tooLarge(let bytes): throw tooLarge(digest, bytes, limit: limit)
            }
        }
    }

    /// Reads the whole blob and checks it against its digest, with bounded memory.
    ///
    /// - Parameter bytes: The size its content is known to have; another is damage.
    func verify(_ digest: Digest, bytes: Int) throws {
        do {
            try readingLocally(digest, limit: bytes) { file, path, _ in
                let size = try BlobFile.check(file, path, limit: bytes, digest: digest)
                guard size == bytes else { throw BlobFile.Refusal.damaged("its content has another size") }
            }
        } catch let error as ContentStoreError where error.code == .tooLarge {
            throw quarantine(digest, "its content has another size")
        }
    }

    func missingBlob(_ digest: Digest, because reason: String? = nil) -> ContentStoreError {
        ContentStoreError(
            .missingBlob, "blob \(digest.short)",
            "it is not in the store \(path)" + (reason.map { ", and \($0)" } ?? ""),
            remedy: "run again: what needs it is computed or fetched anew", blob: digest)
    }

    func tooLarge(_ digest: Digest, _ bytes: Int?, limit: Int) -> ContentStoreError {
        let size = bytes.map { "has \($0) bytes" } ?? "is larger"
        return ContentStoreError(
            .tooLarge, "blob \(digest.short)", "\(size) where at most \(limit) bytes were promised",
            remedy: "the manifest that names it was altered: run the stage that makes it again")
    }

    /// Puts a damaged blob aside. Returns the error that says so.
    private func quarantine(_ digest: Digest, _ problem: String) -> ContentStoreError {
        let pending = state.withLock { state in
            state.forget(digest)
            return state.pendingBlobs.removeValue(forKey: digest)
        }
        if access == .readWrite {
            let aside = "\(layout.quarantine)/\(digest.hex).zst"
            _ = rename(pending ?? layout.blob(digest), aside)
        }
        let place = access == .readWrite ? "it was moved to \(layout.quarantine)" : layout.blob(digest)
        return ContentStoreError(
            .corruptBlob, "blob \(digest.hex)", "it is damaged: \(problem) (\(place))",
            remedy: "run again: what needs it is computed or fetched anew", blob: digest)
    }
}
