import HTTPTransport

/// One tier as configured: where it is, what may be done there, and whom to believe.
public struct TierSettings: Sendable {
    public enum Access: String, Sendable, CaseIterable {
        case readOnly = "read-only"
        case readWrite = "read-write"
    }

    public var url: TierURL
    public var access: Access
    /// Whose results are used; nil for everybody's, signed or not.
    public var trustedSigners: [PublicSigningKey]?
    /// A PEM file with certificate authorities to trust beside the system's.
    public var certificateAuthority: String?
    /// The environment variable that holds a bearer token.
    public var tokenVariable: String?
    /// The file that holds a bearer token.
    public var tokenFile: String?
    public var limits: TimeLimits
    public var retries: RetryPolicy

    public init(
        url: TierURL, access: Access = .readWrite, trustedSigners: [PublicSigningKey]? = nil,
        certificateAuthority: String? = nil, tokenVariable: String? = nil, tokenFile: String? = nil,
        limits: TimeLimits = TimeLimits(connect: .seconds(5), firstByte: .seconds(20), idle: .seconds(20)),
        retries: RetryPolicy = RetryPolicy(attempts: 4, firstDelay: .milliseconds(200), longestDelay: .seconds(5))
    ) {
        self.url = url
        self.access = access
        self.trustedSigners = trustedSigners
        self.certificateAuthority = certificateAuthority
        self.tokenVariable = tokenVariable
        self.tokenFile = tokenFile
        self.limits = limits
        self.retries = retries
    }
}
