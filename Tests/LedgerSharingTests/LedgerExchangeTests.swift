import ContentStore
import Foundation
import StoreTiers
import Synchronization
import Teachers
import TestServers
import Testing

@testable import LedgerSharing

/// A machine with a ledger.
final class Accountant {
    let folder: URL
    let store: LocalStore
    private(set) var ledger: ResponseLedger

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "retort-ledger-\(UUID().uuidString)")
        store = try LocalStore(at: folder.path)
        ledger = try ResponseLedger(path: "\(store.localDirectory)/ledger.sqlite")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func pay(
        _ numbers: some Sequence<Int>, endpoint: String = "http://h/v1", bytes: Int = 10, again: Bool = false
    ) throws {
        try ledger.record(
            numbers.map { number in
                LedgerEntry(
                    key: RequestKey(hexadecimal: Digest(of: "\(number)").hex)!,
                    origin: .init(teacher: "m", endpoint: endpoint, stage: "cots"), day: "2026-01-02", cost: 0.5,
                    response: TeacherResponse(text: "\(number) " + String(repeating: "x", count: bytes)))
            }, replacing: again)
    }

    func loseLedger() throws {
        let path = ledger.path
        ledger = try ResponseLedger(path: "\(path)-other")
    }

    func exchange(_ tier: any SegmentStorage) -> LedgerExchange {
        LedgerExchange(ledger, with: tier, named: "tier", store: store)
    }

    func entries() throws -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        try ledger.forEachEntry { entries.append($0) }
        return entries
    }
}

/// A tier in memory that a test can damage.
final class Shelf: SegmentStorage {
    struct Broken: Error, CustomStringConvertible {
        var description: String { "broken" }
    }

    struct State {
        var contents: [Digest: [UInt8]] = [:]
        var listed: Set<Digest> = []
        var damaged: Set<Digest> = []
        var reads = 0
        /// How many segments may still be appended.
        var room = Int.max
    }

    let state = Mutex(State())

    func segments(of collection: SegmentCollection) -> [Digest] { state.withLock { $0.listed.sorted() } }

    func readSegment(_ digest: Digest, of collection: SegmentCollection, limit: Int) throws -> [UInt8] {
        try state.withLock { state in
            state.reads += 1
            guard let content = state.contents[digest], !state.damaged.contains(digest) else { throw Broken() }
            return content
        }
    }

    func readSegments(
        _ digests: [Digest], of collection: SegmentCollection, limit: Int
    ) -> [Result<[UInt8], any Error>] {
        digests.map { digest in Result { try readSegment(digest, of: collection, limit: limit) } }
    }

    func appendSegment(_ content: [UInt8], to collection: SegmentCollection) throws -> Digest {
        try state.withLock { state in
            guard state.room > 0 else { throw Broken() }
            state.room -= 1
            let digest = Digest(of: content)
            state.contents[digest] = content
            state.damaged.remove(digest)
            state.listed.insert(digest)
            return digest
        }
    }

    func relistSegment(_ digest: Digest, of collection: SegmentCollection) -> Bool {
        state.withLock { state in
            guard state.contents[digest] != nil else { return false }
            state.listed.insert(digest)
            return true
        }
    }
}

@Suite struct LedgerExchangeTests {
    private let shelf = Shelf()
    private let (mine, theirs): (Accountant, Accountant)

    init() throws { (mine, theirs) = (try Accountant(), try Accountant()) }

    private var reads: Int { shelf.state.withLock { $0.reads } }

    @Test func whatOneHasPaidForTheOtherHas() throws {
        try mine.pay(0..<50)
        #expect(try mine.exchange(shelf).push() == .init(answers: 50, segments: 1))
        #expect(try theirs.exchange(shelf).pull() == .init(new: 50, segments: 1))
        #expect(try theirs.entries() == mine.entries())
    }

    @Test func onlyWhatIsNewTravels() throws {
        try mine.pay(0..<50)
        _ = try mine.exchange(shelf).push()
        _ = try theirs.exchange(shelf).pull()
        #expect(try mine.exchange(shelf).push() == .init())
        #expect(try theirs.exchange(shelf).push() == .init(), "what was pulled is not sent back")
        try theirs.pay(40..<60)
        #expect(try theirs.exchange(shelf).push() == .init(answers: 10, segments: 1))
        let before = reads
        #expect(try mine.exchange(shelf).pull() == .init(new: 10, segments: 1))
        #expect(reads == before + 1, "what was read before is not read again, nor what was sent from here")
        #expect(try mine.entries() == theirs.entries())
    }

    @Test func aPushFindsOutFirstWhatOthersHaveSent() throws {
        try mine.pay(0..<50)
        try theirs.pay(25..<75)
        _ = try mine.exchange(shelf).push()
        let pushed = try theirs.exchange(shelf).push()
        #expect(pushed == .init(answers: 25, segments: 1, pulled: .init(new: 25, segments: 1)))
    }

    @Test func aPushThatBreaksOffGoesOnWhereItWas() throws {
        try mine.pay(0..<8, bytes: 1 << 20)
        shelf.state.withLock { $0.room = 1 }
        #expect(throws: Shelf.Broken.self) { try mine.exchange(shelf).push() }
        shelf.state.withLock { $0.room = .max }
        #expect(try mine.exchange(shelf).push().answers == 5, "three of a MiB fit into the segment that was sent")
        #expect(try theirs.exchange(shelf).pull().new == 8)
    }

    @Test func aDamagedSegmentIsSaidAndMended() throws {
        try mine.pay(0..<5)
        _ = try mine.exchange(shelf).push()
        try mine.pay(5..<9)
        _ = try mine.exchange(shelf).push()
        shelf.state.withLock { state in state.damaged = [state.listed.sorted()[0]] }
        let pulled = try theirs.exchange(shelf).pull()
        #expect(pulled.problems == ["broken"])
        #expect(pulled.segments == 1 && [4, 5].contains(pulled.new))
        let mended = try mine.exchange(shelf).push(verifying: true)
        #expect(mended.answers == 9 - pulled.new)
        #expect(mended.pulled.problems == ["broken"])
        #expect(try theirs.exchange(shelf).pull().problems == [])
        #expect(try theirs.entries() == mine.entries())
    }

    @Test func aSegmentThatIsGoneIsSentAgain() throws {
        try mine.pay(0..<5)
        _ = try mine.exchange(shelf).push()
        shelf.state.withLock { state in (state.contents, state.listed) = ([:], []) }
        #expect(try mine.exchange(shelf).push() == .init(answers: 5, segments: 1))
    }

    @Test func aSegmentLostFromTheIndexIsListedAgain() throws {
        try mine.pay(0..<5)
        _ = try mine.exchange(shelf).push()
        shelf.state.withLock { $0.listed = [] }
        #expect(try mine.exchange(shelf).push() == .init(), "it need not be sent")
        #expect(try theirs.exchange(shelf).pull().new == 5)
    }

    @Test func anAnswerThatWasAskedForAgainTakesTheFirstOnesPlaceEverywhere() throws {
        try mine.pay(0..<5)
        _ = try mine.exchange(shelf).push()
        _ = try theirs.exchange(shelf).pull()
        try mine.pay(3..<4, bytes: 20, again: true)
        #expect(try mine.exchange(shelf).push() == .init(answers: 1, segments: 1))
        #expect(try mine.exchange(shelf).push() == .init(), "nothing of it is sent twice")
        #expect(try theirs.exchange(shelf).pull() == .init(new: 1, segments: 1))
        #expect(try theirs.entries() == mine.entries())
        #expect(try theirs.entries().map(\.revision).sorted() == [0, 0, 0, 0, 1])
        #expect(try theirs.exchange(shelf).push() == .init())
        let third = try Accountant()
        #expect(try third.exchange(shelf).pull().segments == 2, "in whatever order it reads them")
        #expect(try third.entries() == mine.entries())
    }

    @Test func anOlderAnswerDoesNotComeBack() throws {
        try theirs.pay(0..<5)
        try mine.pay(0..<5)
        try mine.pay(2..<3, bytes: 20, again: true)
        let before = try mine.entries()
        _ = try theirs.exchange(shelf).push()
        #expect(try mine.exchange(shelf).push() == .init(answers: 1, segments: 1, pulled: .init(new: 0, segments: 1)))
        #expect(try mine.entries() == before)
    }

    @Test func aLostLedgerIsFilledAgain() throws {
        try mine.pay(0..<5)
        _ = try mine.exchange(shelf).push()
        try mine.loseLedger()
        #expect(try mine.exchange(shelf).pull().new == 5)
    }

    @Test func answersThatCostNothingStayWhereOnlyPaidOnesAreSent() throws {
        try mine.pay(0..<5)
        try mine.pay(5..<9, endpoint: "")
        #expect(try mine.exchange(shelf).push(paidOnly: true).answers == 5)
        #expect(try mine.exchange(shelf).push().answers == 4)
    }

    @Test(arguments: [
        ("{\"format\":\"retort-ledger/2\"}\n", "line 1, does not say {\"format\":\"retort-ledger/1\"}"),
        ("hello\n", "line 1, is no JSON object"),
        (
            "{\"format\":\"retort-ledger/1\"}\n{\"key\":\"00\"}\n",
            "line 2, field \"key\" should be 64 hexadecimal digits"
        ),
    ])
    func contentOfAnotherKindIsNotTakenOver(_ content: String, _ problem: String) throws {
        let digest = try shelf.appendSegment(Array(content.utf8), to: LedgerExchange.collection)
        let pulled = try theirs.exchange(shelf).pull()
        #expect(pulled.problems.count == 1 && pulled.new == 0)
        #expect(pulled.problems[0].hasPrefix("segment \(digest.short) of teacher-ledger, "), "\(pulled.problems)")
        #expect(pulled.problems[0].contains(problem), "\(pulled.problems)")
        #expect(try theirs.ledger.count() == 0)
    }
}

/// Through a directory, with signatures.
@Suite struct SignedLedgerTests {
    private let (mine, theirs): (Accountant, Accountant)
    private let team: String

    init() throws {
        (mine, theirs) = (try Accountant(), try Accountant())
        team = mine.folder.appending(path: "team").path
        try FileManager.default.createDirectory(atPath: team, withIntermediateDirectories: true)
    }

    private func tier(_ machine: Accountant, signer: SigningKey? = nil, trusted: [PublicSigningKey]? = nil) throws
        -> Tier
    {
        try Tier.open(
            TierSettings(url: TierURL("file://\(team)"), trustedSigners: trusted), before: machine.store, signer: signer
        )
    }

    @Test func trustedAnswersAreTakenOverAndOthersAreNot() throws {
        let (own, foreign) = (SigningKey(), SigningKey())
        try mine.pay(0..<5)
        _ = try mine.exchange(tier(mine, signer: own)).push()
        let trusting = try theirs.exchange(tier(theirs, trusted: [own.publicKey])).pull()
        #expect(trusting == .init(new: 5, segments: 1))

        let stranger = try Accountant()
        try stranger.pay(5..<9)
        _ = try stranger.exchange(tier(stranger, signer: foreign)).push()
        let after = try theirs.exchange(tier(theirs, trusted: [own.publicKey])).pull()
        #expect(after.new == 0 && after.segments == 0)
        #expect(after.problems.count == 1)
        #expect(after.problems[0].contains("is not used: it is signed by \(foreign.publicKey), whom"))
        #expect(after.problems[0].hasPrefix("the tier file://\(team): segment "))
    }

    @Test func unsignedAnswersAreNotTakenOverWhereSignaturesAreAskedFor() throws {
        try mine.pay(0..<5)
        _ = try mine.exchange(tier(mine)).push()
        let pulled = try theirs.exchange(tier(theirs, trusted: [SigningKey().publicKey])).pull()
        #expect(pulled.new == 0)
        #expect(pulled.problems.map { $0.contains("is not used: it is not signed") } == [true])
        #expect(try theirs.exchange(tier(theirs)).pull() == .init(new: 5, segments: 1))
    }

    @Test func aTierThatCannotBeUsedStopsNoRun() async throws {
        try mine.pay(0..<5)
        let warnings = Mutex<[String]>([])
        let settings = TierSettings(url: try TierURL("file://\(team)/not-there"))
        let tier = try Tier.open(settings, before: mine.store)
        let set = TierSet([tier], behind: mine.store) { warning in warnings.withLock { $0.append(warning) } }
        let ledger = TeamLedger(behind: set, of: mine.store, ledger: mine.ledger.path) { warning in
            warnings.withLock { $0.append(warning) }
        }
        await ledger.pull()
        let pending = await ledger.push(within: .seconds(60))
        #expect(
            pending.map(\.description) == [
                "5 paid answers did not reach the tier file://\(team)/not-there: it was turned off; retort ledger push "
                    + "sends them"
            ])
        #expect(
            warnings.withLock { $0 } == [
                """
                the tier file://\(team)/not-there is not used any more in this run: there is no such folder; create it, \
                or mount what should be there
                """
            ])
    }

    @Test func aTierThatIsTooSlowIsNotWaitedFor() async throws {
        try mine.pay(0..<5)
        let server = try HTTPTestServer { _ in .init(200, delivery: .never) }
        let url = try TierURL("\(server.url)/team")
        let set = TierSet([try Tier.open(TierSettings(url: url), before: mine.store)], behind: mine.store) { _ in }
        let ledger = TeamLedger(behind: set, of: mine.store, ledger: mine.ledger.path) { _ in }
        #expect(
            await ledger.push(within: .milliseconds(200)).map(\.description) == [
                "5 paid answers did not reach the tier \(url) because time was up; retort ledger push sends them"
            ])
    }
}
