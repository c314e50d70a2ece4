import CanonicalJSON
import ContentStore
import Foundation
import StoreTiers
import Synchronization

/// A folder of a test's own, removed with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("retort-tier-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
        return file(name)
    }

    /// Paths of all files under a folder, sorted.
    func listing(_ name: String) throws -> [String] {
        (try FileManager.default.subpathsOfDirectory(atPath: file(name))).filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: file("\(name)/\(path)"), isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }
}

/// What was warned of.
final class Warnings: Sendable {
    private let messages = Mutex<[String]>([])
    var all: [String] { messages.withLock { $0 } }
    func add(_ message: String) { messages.withLock { $0.append(message) } }
}

/// One machine: a local store with tiers behind it.
final class Machine: Sendable {
    let store: LocalStore
    let tiers: TierSet
    let warnings = Warnings()

    init(_ path: String, _ settings: TierSettings..., signer: SigningKey? = nil, environment: TierEnvironment = .none)
        throws
    {
        store = try LocalStore(at: path)
        let warnings = warnings
        tiers = TierSet(
            try settings.map { [store] in
                try Tier.open($0, before: store, signer: signer, environment: environment)
            }, behind: store, warn: { warnings.add($0) })
        store.attach(tiers)
    }

    /// Publishes a result with blobs of these contents; returns the key.
    @discardableResult
    func publish(_ name: String, _ contents: [[UInt8]]) throws -> Digest {
        let blobs = try contents.map { try store.write($0) }
        let key = Digest(of: name)
        try store.publish(
            ActionResult(preimage: .string(name), outputs: .string(name), references: blobs), for: key)
        return key
    }

    func finishUploads() async -> [TierSet.Pending] { await tiers.finish(within: .seconds(60)) }
}

extension TierEnvironment {
    static var none: TierEnvironment { TierEnvironment(variables: [:]) { _ in nil } }
}

extension TierSettings {
    static func directory(_ path: String, access: Access = .readWrite, trusted: [PublicSigningKey]? = nil) throws
        -> TierSettings
    {
        TierSettings(url: try TierURL("file://\(path)"), access: access, trustedSigners: trusted)
    }
}

/// Content that differs by seed, of bytes that do not compress.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
}
