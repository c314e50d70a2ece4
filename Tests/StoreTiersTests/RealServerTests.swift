import CanonicalJSON
import ContentStore
import Foundation
import HTTPTransport
import TestServers
import Testing

@testable import StoreTiers

/// What every tier has to do, against servers as they are installed.
struct TierExercise {
    let folder: TemporaryFolder
    let settings: TierSettings
    let environment: TierEnvironment

    /// One machine publishes, another finds everything; damage is found and healed; segments travel.
    func run(listed: Bool) async throws {
        let contents = [noise(100, seed: 1), noise(3_000_000, seed: 2), [UInt8](repeating: 9, count: 50_000), []]
        let first = try Machine(folder.file("a"), settings, environment: environment)
        let keys = try (0..<20).map { try first.publish("work \($0)", contents + [[UInt8($0)]]) }
        #expect(await first.finishUploads() == [], "\(first.warnings.all)")

        let second = try Machine(folder.file("b"), settings, environment: environment)
        #expect(try second.store.lookup(keys).allSatisfy { $0.outputs != nil }, "\(second.warnings.all)")
        for content in contents {
            #expect(try second.store.read(Digest(of: content), limit: content.count) == content)
        }
        #expect(second.warnings.all == [])

        let tier = try Tier.open(settings, before: first.store, environment: environment)
        let damaged = Digest(of: contents[0])
        try await tier.prepare()
        try await tier.storage.write(.blob(damaged), [1, 2, 3])
        let audit = try await TierCheck(tier, first.store).audit()
        #expect(audit.isListed == listed)
        #expect(audit.results == 20)
        #expect(audit.blobs == contents.count + 20)
        #expect(audit.damaged.count == 1 && audit.damaged[0].hasPrefix("blob \(damaged.hex)"), "\(audit.damaged)")
        let push = Push(to: tier, from: first.store)
        let report = try await push.send(results: keys, checking: .changed)
        #expect(report.healed == [damaged])
        #expect(report.uploaded == [damaged])
        #expect(try await TierCheck(tier, first.store).audit().isClean)
        // A server that names no validator with an upload has it read once more.
        #expect(try await push.send(results: keys, checking: .changed).verified <= 1)
        #expect(try await push.send(results: keys, checking: .changed).verified == 0)
        #expect(try await push.send(results: keys, checking: .everything).verified == contents.count + 20)

        let collection = try #require(SegmentCollection("teacher-ledger"))
        let segments = try (0..<3).map { try tier.appendSegment(Array("segment \($0)".utf8), to: collection) }
        let other = try Tier.open(settings, before: second.store, environment: environment)
        #expect(try other.segments(of: collection) == segments.sorted())
        #expect(try other.readSegment(segments[1], of: collection, limit: 9) == Array("segment 1".utf8))
        try await tier.storage.remove(.blob(damaged))
        #expect(try await tier.storage.status(of: .blob(damaged)) == nil)
    }

    /// What the tier says when it is first used.
    func failure() throws -> TierError? {
        let tier = try Tier.open(settings, before: LocalStore(at: folder.file("x")), environment: environment)
        return #expect(throws: TierError.self) { try tier.segments(of: SegmentCollection("x")!) }
    }
}

@Suite(.enabled(if: NginxServer.isInstalled, "nginx is not installed: scripts/install-services"), .serialized)
struct NginxTests {
    private let folder: TemporaryFolder
    private let server: NginxServer

    init() throws {
        folder = try TemporaryFolder()
        server = try NginxServer()
    }

    private func settings(_ url: String, authority: String? = nil) throws -> TierSettings {
        TierSettings(
            url: try TierURL(url), certificateAuthority: authority, retries: RetryPolicy(attempts: 1))
    }

    private func netrc(password: String = NginxServer.password) -> TierEnvironment {
        TierEnvironment(variables: ["NETRC": "netrc"]) { path in
            path == "netrc" ? "machine 127.0.0.1 login \(NginxServer.user) password \(password)\n" : nil
        }
    }

    /// Every object's digest is its name, so any client of a remote cache may read it.
    private func expectContents(of place: String) throws {
        let folder = URL(fileURLWithPath: "\(server.objects)/\(place)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        for name in names {
            #expect(Digest(of: try Data(contentsOf: folder.appendingPathComponent(name))).hex == name)
        }
        #expect(!names.isEmpty)
    }

    @Test func plainWebDAVHoldsATierOfCompressedBlobs() async throws {
        let exercise = TierExercise(folder: folder, settings: try settings(server.openURL), environment: .none)
        try await exercise.run(listed: false)
        try expectContents(of: "cas")
        let frames = "\(server.objects)/cas.zst/\(Digest(of: [UInt8](repeating: 9, count: 50_000)).hex)"
        #expect(try Data(contentsOf: URL(fileURLWithPath: frames)).count < 1000)
    }

    @Test func whereOnlyTheDialectIsServedContentIsPlain() async throws {
        let settings = try settings("\(server.protectedURL)/team")
        try await TierExercise(folder: folder, settings: settings, environment: netrc()).run(listed: false)
        try expectContents(of: "team/cas")
    }

    @Test func soItDoesOverTLSWithAnAuthorityOfOnesOwn() async throws {
        let settings = try settings(server.tlsURL, authority: server.certificate)
        try await TierExercise(folder: folder, settings: settings, environment: netrc()).run(listed: false)
    }

    @Test func wrongPasswordsAndUntrustedCertificatesAreSaid() throws {
        let wrong = TierExercise(
            folder: folder, settings: try settings(server.protectedURL), environment: netrc(password: "hush"))
        let refused = try wrong.failure()
        #expect(refused?.code == .refused)
        #expect(refused?.problem.hasSuffix("the server answered 401") == true)
        #expect(refused?.remedy.hasPrefix("check the credentials for 127.0.0.1:") == true)
        #expect(refused.map { "\($0)".contains("hush") } == false)

        let untrusted = TierExercise(folder: folder, settings: try settings(server.tlsURL), environment: netrc())
        let tls = try untrusted.failure()
        #expect(tls?.code == .refused)
        #expect(tls?.problem.hasSuffix("no trusted TLS connection could be made") == true)
    }
}

@Suite(.enabled(if: S3Server.isInstalled, "rclone is not installed: scripts/install-services"), .serialized)
struct S3ServerTests {
    private let folder: TemporaryFolder
    private let server: S3Server

    init() throws {
        folder = try TemporaryFolder()
        server = try S3Server()
    }

    private func exercise(
        bucket: String? = nil, key: String = S3Server.accessKey, secret: String = S3Server.secretKey,
        retries: RetryPolicy = RetryPolicy(attempts: 1)
    ) throws -> TierExercise {
        TierExercise(
            folder: folder,
            settings: TierSettings(
                url: try TierURL("s3://\(bucket ?? server.bucket)/shared/store?endpoint=\(server.endpoint)"),
                retries: retries),
            environment: TierEnvironment(variables: ["AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret]) {
                _ in nil
            })
    }

    @Test func aBucketHoldsATier() async throws { try await exercise().run(listed: true) }

    @Test func largeBlobsGoInPartsAndComeBackWhole() async throws {
        let exercise = try exercise()
        let content = noise(S3Storage.multipartThreshold + 5_000_000, seed: 77)
        let first = try Machine(folder.file("a"), exercise.settings, environment: exercise.environment)
        let key = try first.publish("large", [content])
        #expect(await first.finishUploads() == [], "\(first.warnings.all)")
        let second = try Machine(folder.file("b"), exercise.settings, environment: exercise.environment)
        #expect(try second.store.lookup(key).outputs != nil)
        #expect(try second.store.read(Digest(of: content), limit: content.count) == content)
        #expect(second.warnings.all == [])
    }

    @Test func manyBlobsAreFoundByListingThem() async throws {
        let exercise = try exercise(retries: RetryPolicy())
        let machine = try Machine(folder.file("a"), exercise.settings, environment: exercise.environment)
        let blobs = try (0..<300).map { try machine.store.write(Array("blob \($0)".utf8)) }
        let tier = try Tier.open(exercise.settings, before: machine.store, environment: exercise.environment)
        let (sent, kept) = (Array(blobs.dropFirst(10)), Array(blobs.prefix(10)))
        #expect(try await Push(to: tier, from: machine.store).send(results: [], blobs: sent).isComplete)
        let statuses = try await tier.storage.statuses(of: kept + sent)
        #expect(statuses.map { $0 == nil } == kept.map { _ in true } + sent.map { _ in false })
        let one = try await tier.storage.status(of: .blob(sent[0]))
        #expect(statuses[10] == one, "a listing says what a question says")
        let again = try await Push(to: tier, from: machine.store).send(results: [], blobs: blobs, checking: .changed)
        #expect(again.verified == 0 && again.alreadyThere == 290 && again.uploaded.count == 10)
    }

    @Test func wrongKeysAndMissingBucketsAreSaid() throws {
        let wrong = try exercise(secret: "hush").failure()
        #expect(wrong?.problem == "the secret key does not fit the access key")
        #expect(wrong.map { "\($0)".contains("hush") } == false)
        let unknown = try exercise(key: "NOBODY").failure()
        #expect(unknown?.code == .refused, "\(String(describing: unknown))")
        let missing = try exercise(bucket: "no-such-bucket").failure()
        #expect(missing?.problem == "the bucket no-such-bucket does not exist", "\(String(describing: missing))")
    }
}
