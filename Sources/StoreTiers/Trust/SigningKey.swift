import ContentStore
import Crypto
import Glibc
import HTTPTransport

/// Whose signature to believe: an Ed25519 public key, written `ed25519:` and base64.
public struct PublicSigningKey: Sendable, Hashable, CustomStringConvertible {
    static let prefix = "ed25519:"
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil for anything but `ed25519:` and the base64 of 32 bytes.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let bytes = Base64.decode(text.dropFirst(Self.prefix.count)),
            bytes.count == 32, (try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)) != nil
        else { return nil }
        self.bytes = bytes
    }

    public var description: String { Self.prefix + Base64.encode(bytes) }

    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}

/// What signs results: an Ed25519 private key. It never prints itself.
public struct SigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    private let seed: [UInt8]
    public let publicKey: PublicSigningKey

    public init() { self.init(Curve25519.Signing.PrivateKey()) }

    private init(_ key: Curve25519.Signing.PrivateKey) {
        seed = Array(key.rawRepresentation)
        publicKey = PublicSigningKey(bytes: Array(key.publicKey.rawRepresentation))
    }

    public var description: String { "signing key (not shown) of \(publicKey)" }
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }

    func signature(of message: [UInt8]) throws -> [UInt8] {
        Array(try Curve25519.Signing.PrivateKey(rawRepresentation: seed).signature(for: message))
    }
}

// MARK: - Files

extension SigningKey {
    private static let header = "retort-signing-key/1"
    private static let prefix = "ed25519-private:"

    /// Writes the key to a new file that only its owner may read.
    ///
    /// - Throws: ``SigningKeyError`` where the file exists or cannot be written.
    public func save(to path: String) throws {
        let text = "\(Self.header)\n\(Self.prefix)\(Base64.encode(seed))\n"
        do {
            try FileSystem.makeFolders(FileSystem.folder(of: path))
            try Array(text.utf8).withUnsafeBytes { try FileSystem.create(path, $0, mode: 0o600) }
            try FileSystem.synchronize(path)
        } catch let error as ContentStoreError {
            let isThere = error.errno == EEXIST
            throw SigningKeyError(
                path: path, problem: isThere ? "there is a key already" : error.problem,
                remedy: isThere ? "choose another file; a key that is replaced is lost" : error.remedy)
        }
    }

    /// Reads a key file.
    ///
    /// - Throws: ``SigningKeyError`` for a file that others may read, that belongs to someone else, or that is no key.
    public init(file path: String) throws {
        func refusal(_ problem: String, _ remedy: String) -> SigningKeyError {
            SigningKeyError(path: path, problem: problem, remedy: remedy)
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw refusal(
                "it cannot be read (\(String(cString: strerror(errno))))",
                "make one with retort key new, or fix the path")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refusal("it is not a regular file", "give the key file itself")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw refusal(
                "others may read it (mode \(String(status.st_mode & 0o777, radix: 8)))",
                "chmod 600 it, and make a new key if someone may have")
        }
        guard status.st_uid == geteuid() || geteuid() == 0 else {
            throw refusal("it belongs to another user", "use a key of your own")
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        let lines = String(decoding: buffer[..<max(0, count)], as: UTF8.self).split(separator: "\n")
        guard lines.count == 2, lines[0] == Self.header, lines[1].hasPrefix(Self.prefix),
            let seed = Base64.decode(lines[1].dropFirst(Self.prefix.count)),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        else { throw refusal("it is no signing key", "make one with retort key new") }
        self.init(key)
    }
}

/// Why a key file cannot be used.
public struct SigningKeyError: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    public let problem: String
    public let remedy: String

    public var description: String { "the key file \(path): \(problem); \(remedy)" }
}
