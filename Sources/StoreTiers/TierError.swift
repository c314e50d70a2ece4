/// Why a tier could not do what was asked, and what to do about it. It holds no credential.
public struct TierError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The URL, or something configured for it, makes no sense.
        public static let malformed = Code(rawValue: "malformed")
        /// The server does not know us, or does not allow it.
        public static let refused = Code(rawValue: "refused")
        /// What should hold the tier is not there: a folder, a bucket.
        public static let missing = Code(rawValue: "missing")
        /// Network or server failed, after all attempts.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The tier was made by a newer Retort, or something there is no tier.
        public static let format = Code(rawValue: "format")
        /// It is only read.
        public static let readOnly = Code(rawValue: "read-only")
        /// What lies there is not what it should be.
        public static let damaged = Code(rawValue: "damaged")
        /// Nobody who is trusted vouches for it.
        public static let untrusted = Code(rawValue: "untrusted")
        /// The tier cannot do this at all.
        public static let unsupported = Code(rawValue: "unsupported")
    }

    public let code: Code
    /// The tier's URL, without credentials.
    public let tier: String
    public let problem: String
    public let remedy: String

    public init(_ code: Code, _ tier: String, _ problem: String, remedy: String) {
        self.code = code
        self.tier = tier
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "the tier \(tier): \(problem); \(remedy)" }
}
