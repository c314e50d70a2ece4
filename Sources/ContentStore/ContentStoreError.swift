/// Why the store could not do what was asked, and what to do about it.
public struct ContentStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A blob's bytes do not have the digest in its name, or are no zstd frames.
        public static let corruptBlob = Code(rawValue: "corrupt-blob")
        /// No blob has this digest.
        public static let missingBlob = Code(rawValue: "missing-blob")
        /// Content is larger than promised, or than what the caller accepts.
        public static let tooLarge = Code(rawValue: "too-large")
        /// A manifest, result or record is malformed.
        public static let malformed = Code(rawValue: "malformed")
        /// Written by a newer Retort.
        public static let newerFormat = Code(rawValue: "newer-format")
        /// The folder given is no store.
        public static let notAStore = Code(rawValue: "not-a-store")
        /// A file changed while it was read.
        public static let changedWhileRead = Code(rawValue: "changed-while-read")
        /// A file is of a kind that cannot be stored (a symbolic link, a device).
        public static let unsupportedFile = Code(rawValue: "unsupported-file")
        /// The operating system refused; see ``ContentStoreError/errno``.
        public static let system = Code(rawValue: "system")
    }

    public let code: Code
    /// The object concerned: a path, a blob, a result.
    public let subject: String
    public let problem: String
    /// What to do about it.
    public let remedy: String
    /// The operating system's error number, where it refused.
    public let errno: Int32?
    /// The blob that is damaged or missing, where that is what is wrong.
    public let blob: Digest?

    public init(
        _ code: Code, _ subject: String, _ problem: String, remedy: String, errno: Int32? = nil, blob: Digest? = nil
    ) {
        self.code = code
        self.subject = subject
        self.problem = problem
        self.remedy = remedy
        self.errno = errno
        self.blob = blob
    }

    public var description: String { "\(subject): \(problem); \(remedy)" }
}
