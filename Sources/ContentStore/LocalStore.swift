import Glibc
import Synchronization

/// A store in a folder of this machine: blobs and action results, shared by any number of processes at once.
///
/// What is written or published is durable once ``publish(_:for:)``, the completion of ``submit(_:for:completion:)`` or
/// ``flush()`` says so. Until then it can be read through this object alone, and a crash leaves nothing of it.
public final class LocalStore: BlobStore, ActionCache, Sendable {
    public enum Access: Sendable {
        /// Creates the store where there is none.
        case readWrite
        /// Changes nothing on the disk. A folder that does not exist reads as an empty store.
        case readOnly
    }

    /// The folder.
    public let path: String
    public let access: Access
    /// The zstd level of what is written. Identities do not depend on it.
    public let compressionLevel: Int

    let layout: StoreLayout
    /// The path of local/, absolute where the store may be written to.
    let absoluteLocal: String
    /// Nil for a store that is only read.
    let session: StoreSession?
    let state = Mutex(State())
    let commits: CommitQueue
    let timing: LeaseTiming
    let index: ActionIndex
    /// What stands behind this store, if something does.
    let attached = Mutex<(any Upstream)?>(nil)
    let fetching = (0..<fetchStripes).map { _ in FetchStripe() }
    let ahead = FetchAhead()

    /// What this process knows of the store.
    struct State {
        /// Blobs and results written but not yet in place: their temporary files.
        var pendingBlobs: [Digest: String] = [:]
        var pendingResults: [Digest: PendingResult] = [:]
        /// The temporary files of results that are being put in place: a newer result of the same key must not take its
        /// predecessor's file away under the hands of whoever moves it.
        var committing: Set<String> = []
        /// Blobs whose content this process has verified, or written itself: the latest, so that memory stays bounded
        /// however many there are. One that is forgotten is verified again when it is read again.
        private(set) var verified: Set<Digest> = []
        /// Blobs that this session protects and has found in place.
        var present = PresentBlobs()
        var temporaryFiles = 0

        private static let remembered = 1 << 15

        mutating func noteVerified(_ digest: Digest) {
            if verified.count >= State.remembered { verified = [] }
            verified.insert(digest)
        }

        /// What was known of a blob that turned out to be damaged or gone holds no more.
        mutating func forget(_ digest: Digest) {
            verified.remove(digest)
            present.note(digest, false)
        }
    }

    struct PendingResult {
        var result: ActionResult
        var temporary: String
        var inode: UInt64?
    }

    /// Opens the store at `path`.
    ///
    /// - Throws: ``ContentStoreError``: `notAStore` for a folder that holds something else, `newerFormat` for a store
    ///   made by a newer Retort, or `system`.
    public convenience init(at path: String, access: Access = .readWrite, compressionLevel: Int = 3) throws {
        try self.init(at: path, access: access, compressionLevel: compressionLevel, timing: .standard)
    }

    init(at path: String, access: Access = .readWrite, compressionLevel: Int = 3, timing: LeaseTiming) throws {
        var path = path
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        self.path = path
        self.access = access
        self.compressionLevel = compressionLevel
        self.timing = timing
        layout = StoreLayout(path: path)
        index = ActionIndex(path: layout.actionIndex)
        switch access {
        case .readWrite:
            try layout.create()
            absoluteLocal = try FileSystem.absolute(layout.local)
            session = try StoreSession(layout, timing)
        case .readOnly:
            try layout.checkMarker()
            absoluteLocal = layout.local
            session = nil
        }
        commits = CommitQueue()
    }

    /// The session, or the error of writing to a store that is only read.
    func writing() throws(ContentStoreError) -> StoreSession {
        if let session { return session }
        throw ContentStoreError(
            .system, path, "it was opened only for reading", remedy: "run a command that may change the store",
            errno: EROFS)
    }

    /// A path for a temporary file that no other thread or process has.
    func temporaryPath() throws(ContentStoreError) -> String {
        let session = try writing()
        let number = state.withLock { state in
            state.temporaryFiles += 1
            return state.temporaryFiles
        }
        return "\(session.folder)/\(number)"
    }
}
