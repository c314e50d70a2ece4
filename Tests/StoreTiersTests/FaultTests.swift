import CanonicalJSON
import ContentStore
import Foundation
import HTTPTransport
import Synchronization
import TestServers
import Testing

@testable import StoreTiers

/// A remote cache in memory that a test can make misbehave: a proxy of faults in front of a map.
final class FaultyCache: Sendable {
    enum Kind: Sendable {
        /// Keeps what it gets under any path, as WebDAV does.
        case plain
        /// Keeps what it gets, under /cas and /ac alone.
        case onlyDialect
        /// Checks that what is put under /cas has its digest, and knows no encoding.
        case strict
        /// As strict, and speaks zstd.
        case speaksZstd
    }

    typealias Fault = @Sendable (HTTPTestServer.Request, HTTPTestServer.Reply) -> HTTPTestServer.Reply

    let server: HTTPTestServer
    private let state: State

    final class State: Sendable {
        let objects = Mutex<[String: [UInt8]]>([:])
        let fault = Mutex<Fault?>(nil)
    }

    init(_ kind: Kind = .plain) throws {
        let state = State()
        self.state = state
        server = try HTTPTestServer { request in
            let reply = FaultyCache.answer(request, kind, state)
            return state.fault.withLock { $0 }.map { $0(request, reply) } ?? reply
        }
    }

    var settings: TierSettings {
        get throws {
            TierSettings(
                url: try TierURL("\(server.url)/team"),
                limits: TimeLimits(connect: .seconds(20), firstByte: .seconds(20), idle: .seconds(1)),
                retries: RetryPolicy(attempts: 2, firstDelay: .milliseconds(1)))
        }
    }

    var objects: [String: [UInt8]] { state.objects.withLock { $0 } }

    func inject(_ fault: @escaping Fault) { state.fault.withLock { $0 = fault } }
    func mend() { state.fault.withLock { $0 = nil } }

    private static func answer(
        _ request: HTTPTestServer.Request, _ kind: Kind, _ state: State
    ) -> HTTPTestServer.Reply {
        switch request.method {
        case "PUT":
            var body = request.body
            if kind == .onlyDialect, !request.target.contains("/cas/"), !request.target.contains("/ac/") {
                return .init(403)
            }
            if kind == .strict || kind == .speaksZstd, request.target.contains("/cas/") {
                if kind == .speaksZstd, request[header: "Content-Encoding"] == "zstd" {
                    guard let content = try? Zstandard.decompressIfCompressed(body, name: "body", limit: 1 << 30) else {
                        return .init(400)
                    }
                    body = content
                }
                guard request.target.hasSuffix(Digest(of: body).hex) else { return .init(400) }
            }
            state.objects.withLock { $0[request.target] = body }
            return .init(201)
        case "GET", "HEAD":
            guard let body = state.objects.withLock({ $0[request.target] }) else { return .init(404) }
            guard kind == .speaksZstd, request[header: "Accept-Encoding"] == "zstd" else {
                return .init(200, body: body)
            }
            return .init(200, headers: [("Content-Encoding", "zstd")], body: Zstandard.compress(body))
        case "DELETE":
            return state.objects.withLock { $0.removeValue(forKey: request.target) } == nil ? .init(404) : .init(204)
        default: return .init(405)
        }
    }
}

@Suite struct RemoteCacheTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [FaultyCache.Kind.plain, .onlyDialect, .strict, .speaksZstd])
    func everyKindOfServerGivesBackWhatItGot(_ kind: FaultyCache.Kind) async throws {
        let cache = try FaultyCache(kind)
        let contents = [noise(5000, seed: 1), [UInt8](repeating: 7, count: 100_000), []]
        let first = try Machine(folder.file("a"), cache.settings)
        let key = try first.publish("work", contents)
        #expect(await first.finishUploads() == [])
        for (path, body) in cache.objects where path.contains("/cas/") {
            #expect(path == "/team/cas/\(Digest(of: body).hex)", "what a Bazel client would read")
        }
        let place = kind == .plain ? "cas.zst" : "cas"
        for content in contents { #expect(cache.objects["/team/\(place)/\(Digest(of: content).hex)"] != nil) }
        for path in cache.objects.keys where path.contains("/ac/") {
            #expect(ActionResultMessage.decode(cache.objects[path]!) != nil)
        }
        let second = try Machine(folder.file("b"), cache.settings)
        #expect(try second.store.lookup(key).outputs != nil)
        for content in contents {
            #expect(try second.store.read(Digest(of: content), limit: content.count) == content)
        }
        #expect(first.warnings.all + second.warnings.all == [])
    }

    @Test func onlyATierThatSomebodyHasWrittenToIsAskedWhatItHolds() async throws {
        let cache = try FaultyCache()
        let contents = (1...5).map { noise(500, seed: $0) }
        func requests(_ method: String) -> Set<String> {
            Set(cache.server.requests.filter { $0.method == method }.map(\.target))
        }
        let blobs = Set(contents.map { "/team/cas.zst/\(Digest(of: $0).hex)" })
        let first = try Machine(folder.file("a"), cache.settings)
        try first.publish("one", contents)
        #expect(await first.finishUploads() == [])
        #expect(requests("HEAD").isEmpty)
        #expect(requests("PUT").isSuperset(of: blobs))
        let sent = requests("PUT").count
        let second = try Machine(folder.file("b"), cache.settings)
        try second.publish("two", contents)
        #expect(await second.finishUploads() == [])
        #expect(requests("HEAD").isSuperset(of: blobs))
        #expect(cache.server.requests.count { $0.method == "PUT" && blobs.contains($0.target) } == blobs.count)
        #expect(requests("PUT").count == sent + 1, "the second result")
    }

    @Test func blobsAreThereBeforeTheResultThatNeedsThem() async throws {
        let cache = try FaultyCache()
        let machine = try Machine(folder.file("a"), cache.settings)
        for step in 0..<20 { try machine.publish("work \(step)", [noise(500, seed: UInt64(step + 1))]) }
        #expect(await machine.finishUploads() == [])
        var present: Set<String> = []
        for request in cache.server.requests where request.method == "PUT" {
            present.insert(request.target)
            guard request.target.contains("/ac/"), let document = ActionResultMessage.decode(request.body),
                let key = Digest(hex: request.target.suffix(64)),
                case .usable(let result) = SignedResult.decode(document, key: key, trusted: nil)
            else { continue }
            #expect(result.references.allSatisfy { present.contains("/team/cas.zst/\($0.hex)") })
        }
    }

    @Test func messagesWithFieldsOfTheServersOwnAreRead() {
        let document = Array("{}".utf8)
        let plain = ActionResultMessage.encode(document)
        // field 9, execution metadata, with a worker's name; field 4, an exit code.
        #expect(ActionResultMessage.decode([0x4A, 0x03, 0x0A, 0x01, 0x78, 0x20, 0x01] + plain) == document)
        #expect(ActionResultMessage.decode(Array("<html>".utf8)) == nil)
        #expect(ActionResultMessage.decode(Array(plain.dropLast())) == nil)
        #expect(ActionResultMessage.decode([0x2A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]) == nil)
        let long = [UInt8](repeating: 65, count: 70_000)
        #expect(ActionResultMessage.decode(ActionResultMessage.encode(long)) == long)
    }

    @Test func segmentsOfTwoWritersAreAllKept() throws {
        let cache = try FaultyCache()
        let collection = try #require(SegmentCollection("teacher-ledger"))
        let tiers = try ["a", "b"].map { try Tier.open(cache.settings, before: LocalStore(at: folder.file($0))) }
        var expected: Set<Digest> = []
        for step in 0..<4 {
            for (writer, tier) in tiers.enumerated() {
                expected.insert(try tier.appendSegment(Array("\(writer) \(step)".utf8), to: collection))
            }
        }
        #expect(try tiers[0].segments(of: collection) == expected.sorted())
        let one = Digest(of: "1 3")
        #expect(try tiers[0].readSegment(one, of: collection, limit: 3) == Array("1 3".utf8))
    }
}

/// Whatever the network does to what a tier gives, local work goes on and nothing wrong is read.
@Suite struct FaultTests {
    private let folder: TemporaryFolder
    private let cache: FaultyCache
    private let content = noise(200_000, seed: 11)
    private let key: Digest

    init() async throws {
        folder = try TemporaryFolder()
        cache = try FaultyCache()
        let first = try Machine(folder.file("a"), cache.settings)
        key = try first.publish("work", [content])
        try #require(await first.finishUploads() == [])
    }

    enum Harm: String, CaseIterable, Sendable {
        case truncated, oversized, flipped, redirected, html, reset, error, standstill, empty
    }

    private static func harm(_ harm: Harm, _ reply: HTTPTestServer.Reply) -> HTTPTestServer.Reply {
        var reply = reply
        switch harm {
        case .truncated: reply.delivery = .cutOff(after: reply.body.count / 2)
        case .oversized: reply.body += noise(400_000, seed: 3)
        case .flipped: if !reply.body.isEmpty { reply.body[reply.body.count / 2] ^= 0x10 }
        case .redirected: return .init(302, headers: [("Location", "http://127.0.0.1:9/elsewhere")])
        case .html: return .init(200, body: Array("<html><body>Sign in to the network</body></html>".utf8))
        case .reset: reply.delivery = .none
        case .error: return .init(503)
        case .standstill: reply.delivery = .slow(pieces: 2, pause: .seconds(30))
        case .empty: reply.body = []
        }
        return reply
    }

    @Test(arguments: Harm.allCases) func harmedBlobsAreNeverReadAndSaidOnce(_ harm: Harm) throws {
        cache.inject { request, reply in
            request.method == "GET" && request.target.contains("/cas.zst/") ? FaultTests.harm(harm, reply) : reply
        }
        let machine = try Machine(folder.file("b"), cache.settings)
        #expect(try machine.store.lookup(key).outputs != nil)
        let error = #expect(throws: ContentStoreError.self) {
            try machine.store.read(Digest(of: content), limit: content.count)
        }
        #expect(error?.code == .missingBlob || error?.code == .tooLarge)
        #expect(try machine.store.missing(among: [Digest(of: content)]).count == 1, "it is lost: it is made again")
        #expect(machine.warnings.all.count <= 1, "\(machine.warnings.all)")
        // Local work goes on.
        let other = try machine.store.write([1, 2, 3])
        #expect(try machine.store.read(other, limit: 3) == [1, 2, 3])
        #expect(try machine.store.audit().damagedBlobs.isEmpty)
    }

    @Test(arguments: Harm.allCases) func harmedResultsAreMisses(_ harm: Harm) throws {
        cache.inject { request, reply in request.method == "GET" ? FaultTests.harm(harm, reply) : reply }
        let machine = try Machine(folder.file("b"), cache.settings)
        #expect(try machine.store.lookup(key) == .miss)
        #expect(machine.warnings.all.count == 1, "\(machine.warnings.all)")
        #expect(try machine.store.lookup(Digest(of: "other")) == .miss)
    }

    @Test func aSlowServerIsWaitedFor() throws {
        cache.inject { _, reply in
            var reply = reply
            if reply.body.count > 10 { reply.delivery = .slow(pieces: 4, pause: .milliseconds(20)) }
            return reply
        }
        let machine = try Machine(folder.file("b"), cache.settings)
        #expect(try machine.store.lookup(key).outputs != nil)
        #expect(try machine.store.read(Digest(of: content), limit: content.count) == content)
    }

    @Test func aFaultThatPassesIsOvercome() throws {
        let failures = Mutex(0)
        cache.inject { request, reply in
            // Every other request fails.
            failures.withLock { failures in
                failures += 1
                return failures % 2 == 1 ? HTTPTestServer.Reply(503) : reply
            }
        }
        let machine = try Machine(folder.file("b"), cache.settings)
        #expect(try machine.store.lookup(key).outputs != nil)
        #expect(try machine.store.read(Digest(of: content), limit: content.count) == content)
        #expect(machine.warnings.all == [])
    }

    @Test func aDeadTierIsTurnedOffWithOneWarningAndUploadsArePending() async throws {
        cache.server.stop()
        let machine = try Machine(folder.file("b"), cache.settings)
        for step in 0..<10 { #expect(try machine.store.lookup(Digest(of: "\(step)")) == .miss) }
        let made = try machine.publish("mine", [[1]])
        #expect(try machine.store.lookup(made).outputs != nil)
        let pending = await machine.finishUploads()
        #expect(pending.map(\.results) == [1])
        #expect(
            machine.warnings.all == [
                """
                the tier \(cache.server.url)/team is not used any more in this run: GET \
                \(cache.server.url)/team/ac/\(Digest(of: "retort-tier/format").hex): nothing listens at \
                127.0.0.1:\(cache.server.port); start the server, or check host and port in the URL
                """
            ])
    }

    @Test func aTierOfANewerFormatIsNotTouched() throws {
        let path = "/team/ac/\(Digest(of: "retort-tier/format").hex)"
        let newer = ActionResultMessage.encode(Array("{\"format\":\"retort-tier/2\"}".utf8))
        cache.inject { request, reply in request.target == path ? .init(200, body: newer) : reply }
        let tier = try Tier.open(cache.settings, before: LocalStore(at: folder.file("b")))
        let collection = try #require(SegmentCollection("x"))
        #expect(
            throws: TierError(
                .format, "\(cache.server.url)/team",
                "it was made by a newer Retort (tier format 2; this program knows 1)",
                remedy: "update Retort, or use another tier")
        ) { try tier.segments(of: collection) }
    }
}
