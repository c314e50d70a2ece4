import ContentStore

/// Which results wait to be uploaded: a pure state machine. They go in batches, one batch at a time, so that the blobs
/// that several results share are looked at once.
struct UploadQueue: Sendable, Equatable {
    static let batch = 64

    private(set) var waiting: [Digest] = []
    private(set) var underWay: [Digest] = []
    private(set) var failed: [Digest: String] = [:]
    private(set) var isStopped = false

    var isIdle: Bool { underWay.isEmpty && (waiting.isEmpty || isStopped) }
    /// What has not reached the tier.
    var missing: Int { waiting.count + underWay.count + failed.count }

    mutating func add(_ key: Digest) { waiting.append(key) }

    /// The next batch, unless one is under way. Whoever gets one calls ``finished(_:)`` afterwards.
    mutating func next() -> [Digest]? {
        guard underWay.isEmpty, !waiting.isEmpty, !isStopped else { return nil }
        underWay = Array(waiting.prefix(Self.batch))
        waiting.removeFirst(underWay.count)
        return underWay
    }

    /// - Parameter failures: the results of the batch that did not arrive, and why.
    mutating func finished(_ failures: [Digest: String]) {
        underWay = []
        failed.merge(failures) { _, new in new }
    }

    mutating func stop() { isStopped = true }
}
