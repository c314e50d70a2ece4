import Dispatch
import Synchronization

/// Blobs that somebody will read soon, fetched meanwhile: a queue that a few threads work off.
///
/// It saves waiting and nothing else. Who reads a blob that is still queued fetches it without waiting for its turn, and
/// a blob that cannot be had is the trouble of whoever reads it.
final class FetchAhead: Sendable {
    typealias Blob = (digest: Digest, bytes: Int)

    private struct State {
        var queue: [Blob] = []
        /// Up to where the queue has been worked off.
        var position = 0
        /// Threads that have nothing to do.
        var resting = Array(0..<FetchAhead.width)
    }

    /// How many blobs are fetched at once: round trips are what takes time, not this machine.
    static let width = 16

    private let state = Mutex(State())
    /// Serial queues get a thread each, whoever else is waiting; a concurrent queue has as many as there are processors.
    private let threads = (0..<width).map { DispatchQueue(label: "retort.fetch-ahead.\($0)") }

    /// Queues blobs behind those that are queued, and returns at once.
    ///
    /// - Parameters:
    ///   - fetch: blocks until the blob is here or cannot be had. Called on several threads at once.
    ///   - settle: called whenever the queue has been worked off.
    func add(
        _ blobs: [Blob], fetch: @escaping @Sendable (Blob) -> Void, settle: @escaping @Sendable () -> Void
    ) {
        let woken = state.withLock { state in
            state.queue += blobs
            defer { state.resting.removeLast(min(state.resting.count, blobs.count)) }
            return state.resting.suffix(blobs.count)
        }
        for thread in woken {
            threads[thread].async {
                while let blob = self.next(thread) { fetch(blob) }
                if self.isAtRest { settle() }
            }
        }
    }

    private var isAtRest: Bool { state.withLock { $0.resting.count == FetchAhead.width } }

    /// Forgets what has not begun.
    func clear() { state.withLock { ($0.queue, $0.position) = ([], 0) } }

    /// The next blob; nil when there is none, and the thread rests.
    private func next(_ thread: Int) -> Blob? {
        state.withLock { state in
            guard state.position < state.queue.count else {
                (state.queue, state.position) = ([], 0)
                state.resting.append(thread)
                return nil
            }
            defer { state.position += 1 }
            return state.queue[state.position]
        }
    }
}

extension LocalStore {
    /// Whether something stands behind the store.
    public var isBacked: Bool { upstream != nil }

    /// Begins to fetch blobs that will be read soon, and returns at once. Without anything behind the store, and for
    /// blobs that are here, it does nothing.
    ///
    /// - Parameter blobs: with the sizes that are promised for them, in bytes.
    public func fetchAhead(_ blobs: [(digest: Digest, bytes: Int)]) {
        guard isBacked, access == .readWrite, !blobs.isEmpty else { return }
        ahead.add(blobs) { blob in
            try? self.fetch(blob.digest, limit: blob.bytes, isOneOfMany: true)
        } settle: {
            self.startCommit()
        }
    }

    /// The same for all blobs of an artifact.
    public func fetchAhead(_ artifact: Artifact) { fetchAhead(artifact.sizedBlobs) }

    /// Gives up what ``fetchAhead(_:)`` has not begun with.
    public func stopFetchingAhead() { ahead.clear() }
}
