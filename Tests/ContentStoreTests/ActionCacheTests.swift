import CanonicalJSON
import Glibc
import Synchronization
import Testing

@testable import ContentStore

@Suite struct ActionCacheTests {
    let folder: TemporaryFolder
    let store: LocalStore

    init() throws {
        folder = try TemporaryFolder()
        store = try LocalStore(at: folder.file("store"))
    }

    func reopened(_ access: LocalStore.Access = .readWrite) throws -> LocalStore {
        try LocalStore(at: folder.file("store"), access: access)
    }

    static func result(_ name: String, references: [Digest] = []) -> ActionResult {
        ActionResult(
            preimage: ["stage": .string(name), "version": 1], outputs: ["out": .string(name)],
            provenance: ["host": "somewhere"], references: references)
    }

    func name(_ key: Digest) -> String { "store/actions/\(key.hex.prefix(2))/\(key.hex).json" }

    @Test func aPublishedResultIsAHitForEveryProcess() throws {
        let key = Digest(of: "key")
        #expect(try store.lookup(key) == .miss)
        #expect(try store.result(for: key) == nil)
        let blob = try store.write([1, 2, 3])
        let result = ActionCacheTests.result("a", references: [blob, blob])
        #expect(result.references == [blob])
        try store.publish(result, for: key)
        for other in [store, try reopened(), try reopened(.readOnly)] {
            #expect(try other.lookup(key) == .hit(outputs: result.outputs))
            #expect(try other.result(for: key) == result)
            #expect(try other.read(blob, limit: 3) == [1, 2, 3])
        }
    }

    @Test func aResultThatReferencesWhatIsNotThereIsRefused() throws {
        let absent = Digest(of: "absent")
        let error = try #require(throws: ContentStoreError.self) {
            try store.publish(ActionCacheTests.result("a", references: [absent]), for: Digest(of: "key"))
        }
        #expect(error.code == .missingBlob)
        #expect(try store.lookup(Digest(of: "key")) == .miss)
    }

    @Test func aResultWhoseBlobsAreGoneIsNoHit() throws {
        let blobs = try (0..<4).map { try store.write([UInt8($0)]) }.sorted()
        let key = Digest(of: "key")
        let result = ActionCacheTests.result("a", references: blobs)
        try store.publish(result, for: key)
        for blob in blobs[1...2] { unlink(store.layout.blob(blob)) }
        #expect(try reopened().lookup(key) == .lost(outputs: result.outputs, missing: Array(blobs[1...2])))
    }

    @Test func aResultMayLackWhatItsPublisherKnowsToBeGone() throws {
        let blobs = try (0..<2).map { try store.write([UInt8($0)]) }.sorted() + [Digest(of: "absent")]
        let (key, result) = (Digest(of: "key"), ActionCacheTests.result("a", references: blobs))
        #expect(throws: ContentStoreError.self) { try store.publish(result, for: key, lacking: [blobs[0]]) }
        try store.publish(result, for: key, lacking: [blobs[2]])
        #expect(try reopened().lookup(key) == .lost(outputs: result.outputs, missing: [blobs[2]]))
    }

    @Test func aLaterResultReplacesAnEarlierOne() throws {
        let key = Digest(of: "key")
        try store.publish(ActionCacheTests.result("a"), for: key)
        try store.publish(ActionCacheTests.result("b"), for: key)
        #expect(try store.lookup(key) == .hit(outputs: ["out": "b"]))
        #expect(try reopened().lookup(key) == .hit(outputs: ["out": "b"]))
    }

    @Test func nothingIsVisibleToOthersBeforeItIsDurable() throws {
        let blob = try store.write([1, 2, 3])
        let other = try reopened()
        #expect(try store.contains(blob))
        #expect(try !other.contains(blob))
        #expect(try listing(folder.file("store/blobs")).isEmpty)
        try store.flush()
        #expect(try other.contains(blob))
    }

    @Test func manyResultsSubmittedAtOnceAllBecomeDurable() throws {
        let count = 500
        let done = Mutex(0)
        for index in 0..<count {
            let blob = try store.write(Array("\(index)".utf8))
            try store.submit(
                ActionCacheTests.result("\(index)", references: [blob]), for: Digest(of: "key \(index)")
            ) { outcome in
                if case .success = outcome { done.withLock { $0 += 1 } }
            }
            #expect(try store.lookup(Digest(of: "key \(index)")).outputs != nil, "submitted results are hits at once")
        }
        try store.flush()
        #expect(done.withLock { $0 } == count)
        let lookups = try reopened().lookup((0..<count).map { Digest(of: "key \($0)") } + [Digest(of: "none")])
        #expect(lookups[..<count].enumerated().allSatisfy { $1 == .hit(outputs: ["out": .string("\($0)")]) })
        #expect(lookups[count] == .miss)
        #expect(
            try listing(folder.file("store/local/tmp")).allSatisfy { path in
                ["/heartbeat", "/lock", "/uses"].contains { path.hasSuffix($0) }
            })
    }

    @Test func aCommitThatStopsHalfWayCanBeTakenUpAgain() throws {
        let contents = (0..<30).map { Array("content \($0)".utf8) }
        let blobs = try contents.map { try store.write($0) }
        let key = Digest(of: "key")
        let result = ActionCacheTests.result("a", references: blobs)
        let obstacle = folder.file("store/blobs/\(blobs.sorted()[15].hex.prefix(2))")
        try folder.write("store/blobs/\(blobs.sorted()[15].hex.prefix(2))", "in the way")
        let error = try #require(throws: ContentStoreError.self) { try store.publish(result, for: key) }
        #expect(error.errno == ENOTDIR)
        #expect(try store.lookup(key) == .miss)
        for (blob, content) in zip(blobs, contents) { #expect(try store.read(blob, limit: 100) == content) }
        unlink(obstacle)
        try store.publish(result, for: key)
        #expect(try reopened().lookup(key) == .hit(outputs: result.outputs))
        #expect(try reopened().audit().isClean)
    }

    @Test func damagedResultsAreMissesWithAReasonAndArePutAside() throws {
        let key = Digest(of: "key")
        let path = folder.file(name(key))
        try store.publish(ActionCacheTests.result("a"), for: key)
        let intact = try contents(path)
        try store.publish(ActionCacheTests.result("a"), for: Digest(of: "other"))
        let foreign = try contents(folder.file(name(Digest(of: "other"))))
        let cases: [([UInt8], String)] = [
            ([], "it does not start with its checksum"),
            (Array(intact.dropLast()), "its checksum does not match"),
            (intact + [10], "its checksum does not match"),
            (Array("{}".utf8), "it does not start with its checksum"),
            (foreign, "it is the result of another key, \(Digest(of: "other").short)"),
        ]
        for (bytes, reason) in cases {
            try folder.write(name(key), bytes)
            let readOnly = try reopened(.readOnly)
            #expect(try readOnly.lookup(key) == .unusable(reason: "\(path): \(reason)"))
            #expect(try contents(path) == bytes)
            #expect(throws: ContentStoreError.self) { try readOnly.result(for: key) }
            let quarantine = folder.file("store/quarantine")
            #expect(
                try reopened().lookup(key) == .unusable(reason: "\(path): \(reason) (it was moved to \(quarantine))"))
            #expect(try contents("\(quarantine)/\(key.hex).json") == bytes)
            #expect(try reopened().lookup(key) == .miss)
        }
    }

    @Test func everyFlippedBitOfAResultIsSeen() throws {
        let key = Digest(of: "key")
        try store.publish(ActionCacheTests.result("a", references: []), for: key)
        let intact = try contents(folder.file(name(key)))
        var generator = SeededGenerator(seed: 12)
        for position in intact.indices {
            var damaged = intact
            damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            guard case .unusable = ActionDocument.decode(damaged, key: key) else {
                Issue.record("byte \(position) flipped unseen")
                continue
            }
        }
    }

    @Test func aResultOfANewerFormatIsAnError() throws {
        let key = Digest(of: "key")
        for text in [
            #"{"format":"retort-action/2","something":"else"}"#,
            #"{"checksum":"x","format":"retort-action/7"}"#,
        ] {
            try folder.write(name(key), text)
            let error = try #require(throws: ContentStoreError.self) { try store.lookup(key) }
            #expect(error.code == .newerFormat)
            #expect(error.description.contains("update Retort"))
            #expect(try contents(folder.file(name(key))) == Array(text.utf8), "it is left where it is")
        }
    }

    @Test(arguments: [0, 1, 2, 1000]) func referencesRoundTrip(count: Int) throws {
        let key = Digest(of: "key")
        let tricky: JSON = ["text": #"","references":["#, "references": ["no digest"], "list": ["]}", "[", "\""]]
        let result = ActionResult(
            preimage: tricky, outputs: tricky, provenance: tricky,
            references: (0..<count).map { Digest(of: "\($0)") })
        let document = ActionDocument.encode(result, key: key)
        #expect(ActionDocument.decode(document, key: key) == .result(result))
        let value = try #require(try JSON.parse(document).object)
        #expect(value["references"]?.array?.count == count)
        #expect(JSON.object(value).canonicalBytes == document, "the document is canonical")
    }

    @Test(arguments: [#"["abc"]"#, #"[1]"#, "{}", #""text""#, "null"])
    func referencesThatAreNoDigestsMakeAResultUnusable(references: String) {
        let key = Digest(of: "key")
        let body =
            #""format":"retort-action/1","key":"\#(key.hex)","outputs":1,"preimage":1,"provenance":1,"#
            + #""references":\#(references)}"#
        let document = #"{"checksum":"\#(Digest(of: body).hex)","# + body
        guard case .unusable = ActionDocument.decode(Array(document.utf8), key: key) else {
            Issue.record("it was taken for a result")
            return
        }
    }

    /// Changing this makes every result in every store unusable: then the format version has to change, too.
    @Test func goldenDocument() throws {
        let document = ActionDocument.encode(
            ActionCacheTests.result("a", references: [Digest(of: "1")]), key: Digest(of: "key"))
        let body =
            #""format":"retort-action/1","key":"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683","#
            + #""outputs":{"out":"a"},"preimage":{"stage":"a","version":1},"provenance":{"host":"somewhere"},"#
            + #""references":["6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"]}"#
        #expect(String(decoding: document, as: UTF8.self) == #"{"checksum":"\#(Digest(of: body).hex)","# + body)
    }
}
