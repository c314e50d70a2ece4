import ContentStore
import Synchronization

/// Trees laid out as directories for the actions of one run: each artifact once, removed after the run.
final class TreeCheckouts: Sendable {
    private let store: LocalStore
    private let folders = Mutex<[Digest: ScratchDirectory]>([:])

    init(store: LocalStore) { self.store = store }

    /// A read-only directory with the artifact's files, verified.
    func directory(_ artifact: Artifact) throws -> String {
        // Actions that need the same tree at once wait for the first to lay it out.
        try folders.withLock { folders in
            if let known = folders[artifact.digest] { return known.path + "/tree" }
            let scratch = try store.makeScratchDirectory()
            do {
                try store.readTree(artifact, to: scratch.path + "/tree")
            } catch {
                scratch.remove()
                throw scratch.failure ?? error
            }
            folders[artifact.digest] = scratch
            return scratch.path + "/tree"
        }
    }

    func remove() {
        for scratch in folders.withLock({ Array($0.values) }) { scratch.remove() }
    }
}
