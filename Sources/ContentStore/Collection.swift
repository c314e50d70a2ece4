/// What a garbage collection removes, or would remove, and why the rest stays.
public struct Collection: Sendable, Equatable {
    /// A number of files and their size on the disk.
    public struct Amount: Sendable, Equatable {
        public var files = 0
        public var bytes = 0

        mutating func add(_ item: StoreContents.Item) {
            files += 1
            bytes += item.bytes
        }
    }

    /// Whether this is only what would be removed.
    public var isDryRun: Bool
    public var actions: [Digest] = []
    public var blobs: [Digest] = []
    public var removed = Amount()
    /// What stays because a root names it or needs it, by the root's name; what several need is counted for the first.
    public var keptByRoot: [(root: String, amount: Amount)] = []
    /// What stays because a process that runs now relies on it.
    public var keptInUse = Amount()
    /// What stays because it is younger than the grace period, or a result so young needs it.
    public var keptRecent = Amount()

    public static func == (a: Collection, b: Collection) -> Bool {
        a.isDryRun == b.isDryRun && a.actions == b.actions && a.blobs == b.blobs && a.removed == b.removed
            && a.keptByRoot.elementsEqual(b.keptByRoot) { $0 == $1 } && a.keptInUse == b.keptInUse
            && a.keptRecent == b.keptRecent
    }
}
