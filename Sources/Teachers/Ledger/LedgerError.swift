/// The response ledger cannot be used.
public struct LedgerError: Error, Sendable, CustomStringConvertible {
    /// The class of a failure. New classes may be added.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The file is no SQLite database, or a broken one.
        public static let corrupt = Code(rawValue: "corrupt")
        /// The file or its folder cannot be written.
        public static let readOnly = Code(rawValue: "read-only")
        /// Another process kept the file locked for longer than the busy time-out.
        public static let busy = Code(rawValue: "busy")
        /// No space is left.
        public static let full = Code(rawValue: "full")
        /// A later version of the program wrote the file.
        public static let tooNew = Code(rawValue: "too-new")
        public static let other = Code(rawValue: "other")
    }

    public let code: Code
    /// The ledger's path.
    public let path: String
    /// What SQLite said.
    public let cause: String

    public init(_ code: Code, path: String, cause: String) {
        self.code = code
        self.path = path
        self.cause = cause
    }

    public var description: String { "response ledger \(path): \(problem) (\(cause)). \(remedy)" }

    private var problem: String {
        switch code {
        case .corrupt: "the file is not a sound database"
        case .readOnly: "the file or its folder cannot be written"
        case .busy: "another process keeps it locked"
        case .full: "no space is left on the disk"
        case .tooNew: "a later version of retort wrote it"
        default: "the database failed"
        }
    }

    private var remedy: String {
        switch code {
        case .corrupt:
            "Move it away together with its -wal and -shm files, or restore a copy; a new ledger is made on the next run."
        case .readOnly: "Make the folder writable, or choose another store with --store."
        case .busy: "Wait for the other process to end, and run again."
        case .full: "Free some space, and run again; nothing that was stored is lost."
        case .tooNew: "Update retort, or choose another store with --store."
        default: "Run again; if it fails again, check the disk."
        }
    }
}
