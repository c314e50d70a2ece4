import CanonicalJSON
import ContentStore
import Foundation
import Testing

@testable import StoreTiers

/// Two machines that share a directory.
@Suite struct DirectoryTierTests {
    private let folder: TemporaryFolder
    private let team: String

    init() throws {
        folder = try TemporaryFolder()
        team = try folder.makeFolder("team")
    }

    private func machine(_ name: String, _ settings: TierSettings, signer: SigningKey? = nil) throws -> Machine {
        try Machine(folder.file(name), settings, signer: signer)
    }

    @Test func theSecondMachineFindsTheResultAndFetchesOnlyWhatItReads() async throws {
        let contents = (0..<5).map { noise(20_000, seed: UInt64($0 + 1)) }
        let first = try machine("a", .directory(team))
        let key = try first.publish("work", contents)
        #expect(await first.finishUploads() == [])

        let second = try machine("b", .directory(team))
        #expect(try second.store.lookup(key) == .hit(outputs: .string("work")))
        #expect(try folder.listing("b/blobs").isEmpty)
        #expect(try second.store.missing(among: contents.map { Digest(of: $0) }) == [])
        #expect(try second.store.read(Digest(of: contents[3]), limit: 20_000) == contents[3])
        try second.store.flush()
        #expect(try folder.listing("b/blobs").count == 1)
        #expect(second.tiers.fetched.blobs == 1)
        #expect(second.warnings.all == [])
    }

    @Test func aRunWithoutChangesNeedsNoTier() async throws {
        let first = try machine("a", .directory(team))
        let key = try first.publish("work", [noise(100, seed: 1)])
        #expect(await first.finishUploads() == [])
        do {
            let second = try machine("b", .directory(team))
            #expect(try second.store.lookup(key).outputs != nil)
            try second.store.flush()
        }
        try FileManager.default.moveItem(atPath: team, toPath: folder.file("gone"))
        let later = try machine("b", .directory(team))
        #expect(try later.store.lookup(key).outputs != nil, "what the tier holds is remembered")
        #expect(later.warnings.all == [])
        #expect(throws: ContentStoreError.self) { try later.store.read(Digest(of: noise(100, seed: 1)), limit: 100) }
        #expect(
            later.warnings.all == [
                """
                the tier file://\(team) is not used any more in this run: there is no such folder; create it, or mount \
                what should be there
                """
            ])
        #expect(try later.store.audit().isClean, "a blob that lies in a tier is not lost")
    }

    @Test func aResultWhoseBlobsAreNotThereIsAMiss() async throws {
        let first = try machine("a", .directory(team))
        let content = noise(3000, seed: 7)
        let key = try first.publish("work", [content])
        #expect(await first.finishUploads() == [])
        try FileManager.default.removeItem(atPath: "\(team)/\(ObjectName.blob(Digest(of: content)).path)")
        let second = try machine("b", .directory(team))
        #expect(try second.store.lookup(key) == .miss)
    }

    @Test func damageInTheTierIsNeverReadAndIsSaidOnce() async throws {
        let first = try machine("a", .directory(team))
        let content = noise(3000, seed: 7)
        let digest = Digest(of: content)
        let key = try first.publish("work", [content])
        #expect(await first.finishUploads() == [])
        let file = "\(team)/\(ObjectName.blob(digest).path)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count / 2] ^= 4
        try bytes.write(to: URL(fileURLWithPath: file))

        let second = try machine("b", .directory(team))
        #expect(try second.store.lookup(key).outputs != nil)
        for _ in 0..<2 {
            let error = #expect(throws: ContentStoreError.self) { try second.store.read(digest, limit: 3000) }
            #expect(error?.code == .missingBlob)
        }
        #expect(second.warnings.all.count == 1)
        #expect(second.warnings.all[0].contains("holds a damaged blob \(digest.short)"))

        // Whoever makes it again heals the tier.
        #expect(try second.store.write(content) == digest)
        try second.store.publish(
            ActionResult(preimage: .null, outputs: .null, references: [digest]), for: Digest(of: "again"))
        #expect(await second.finishUploads() == [])
        let third = try machine("c", .directory(team))
        #expect(try third.store.read(digest, limit: 3000) == content)
    }

    @Test func aBombIsNotDecompressedPastThePromise() async throws {
        let first = try machine("a", .directory(team))
        let content = [UInt8](repeating: 0, count: 8 << 20)
        try first.publish("work", [content])
        #expect(await first.finishUploads() == [])
        let second = try machine("b", .directory(team))
        let error = #expect(throws: ContentStoreError.self) {
            try second.store.read(Digest(of: content), limit: 1 << 20)
        }
        #expect(error?.code == .tooLarge)
        #expect(try folder.listing("b/blobs").isEmpty)
    }

    @Test func aDamagedLocalBlobIsFetchedAgain() async throws {
        let first = try machine("a", .directory(team))
        let content = noise(5000, seed: 3)
        try first.publish("work", [content])
        #expect(await first.finishUploads() == [])
        let file = folder.file("a/\(ObjectName.blob(Digest(of: content)).path)")
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: file))
        let again = try machine("a", .directory(team))
        #expect(try again.store.read(Digest(of: content), limit: 5000) == content)
    }

    /// A tier in which a blob was uploaded by a machine, which looks at it again.
    private func push(after harm: (String) throws -> Void, _ checking: Push.Checking = .changed) async throws
        -> Push.Report
    {
        let first = try machine("a", .directory(team))
        let key = try first.publish("work", [noise(3000, seed: 7), noise(3000, seed: 8)])
        #expect(await first.finishUploads() == [])
        try harm("\(team)/\(ObjectName.blob(Digest(of: noise(3000, seed: 7))).path)")
        let tier = try Tier.open(.directory(team), before: first.store)
        return try await Push(to: tier, from: first.store).send(results: [key], checking: checking)
    }

    private static func flipABit(_ path: String) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[1000] ^= 1
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: bytes)
        try file.close()
    }

    @Test func whatIsUnchangedIsNotReadAgain() async throws {
        let report = try await push(after: { _ in })
        #expect(report.verified == 0 && report.alreadyThere == 2 && report.uploaded.isEmpty)
    }

    @Test func aTruncatedBlobIsSentAgain() async throws {
        let report = try await push { path in #expect(truncate(path, 1500) == 0) }
        #expect(report.verified == 1)
        #expect(report.healed == [Digest(of: noise(3000, seed: 7))] && report.uploaded == report.healed)
    }

    @Test func aBlobWithAFlippedBitIsSentAgain() async throws {
        let report = try await push(after: Self.flipABit)
        #expect(report.verified == 1)
        #expect(report.healed == [Digest(of: noise(3000, seed: 7))] && report.uploaded == report.healed)
    }

    @Test func aBitThatTheDiskLostIsFoundByReadingEverything() async throws {
        let decay: (String) throws -> Void = { path in
            let before = try FileManager.default.attributesOfItem(atPath: path)
            var times = [stat()]
            #expect(stat(path, &times[0]) == 0)
            try Self.flipABit(path)
            // As if nothing had been written.
            var restored = [times[0].st_atim, times[0].st_mtim]
            #expect(utimensat(AT_FDCWD, path, &restored, 0) == 0)
            #expect(before[.size] as? Int == times[0].st_size)
        }
        #expect(try await push(after: decay).healed.isEmpty, "nothing shows it")
        let store = try LocalStore(at: folder.file("a"))
        let tier = try Tier.open(.directory(team), before: store)
        let push = Push(to: tier, from: store)
        let blobs = [noise(3000, seed: 7), noise(3000, seed: 8)].map { Digest(of: $0) }
        // Whoever verifies the tier tells pushes what to look at.
        #expect(try await TierCheck(tier, store).audit().damaged.count == 1)
        #expect(try await push.send(results: [], blobs: blobs, checking: .changed).healed == [blobs[0]])
        try decay("\(team)/\(ObjectName.blob(blobs[0]).path)")
        let report = try await push.send(results: [], blobs: blobs, checking: .everything)
        #expect(report.verified == 2 && report.healed == [blobs[0]])
    }

    @Test func twoProcessesThatPushAtOnceLoseNothing() async throws {
        await withTaskGroup(of: Void.self) { group in
            for process in 0..<2 {
                group.addTask { [path = folder.path] in
                    await #expect(processExitsWith: .success) { [path = path as String, process = process as Int] in
                        let machine = try Machine("\(path)/p\(process)", .directory("\(path)/team"))
                        for step in 0..<60 {
                            // Half of the results are the same on both sides.
                            let name = step % 2 == 0 ? "shared \(step)" : "own \(process) \(step)"
                            try machine.publish(name, [Array("content of \(name)".utf8), Array("all".utf8)])
                        }
                        try #require(await machine.finishUploads() == [])
                    }
                }
            }
        }
        let third = try machine("c", .directory(team, access: .readOnly))
        let names = (0..<60).flatMap { step in
            step % 2 == 0 ? ["shared \(step)"] : (0..<2).map { "own \($0) \(step)" }
        }
        #expect(try third.store.lookup(names.map { Digest(of: $0) }).allSatisfy { $0.outputs != nil })
        for name in names {
            let content = Array("content of \(name)".utf8)
            #expect(try third.store.read(Digest(of: content), limit: 100) == content)
        }
        #expect(try folder.listing("team").allSatisfy { !$0.contains("incoming") })
    }

    @Test func whatAKilledPushLeftGoesADayLater() async throws {
        let team = try folder.makeFolder("team")
        let leftovers = try folder.makeFolder("team/incoming")
        for (name, hours) in [("old", 25.0), ("young", 23.0)] {
            FileManager.default.createFile(
                atPath: "\(leftovers)/\(name)", contents: Data("half".utf8),
                attributes: [.modificationDate: Date(timeIntervalSinceNow: -3600 * hours)])
        }
        let machine = try machine("a", .directory(team))
        _ = try machine.publish("work", [[1, 2, 3]])
        #expect(await machine.finishUploads() == [], "\(machine.warnings.all)")
        #expect(try folder.listing("team/incoming") == ["young"])
    }

    @Test func segmentsTravelVerifiedAndOnlyGrow() throws {
        let collection = try #require(SegmentCollection("teacher-ledger"))
        let store = try LocalStore(at: folder.file("a"))
        let tier = try Tier.open(.directory(team), before: store)
        #expect(try tier.segments(of: collection) == [])
        let first = try tier.appendSegment(Array("one\n".utf8), to: collection)
        let second = try tier.appendSegment(noise(100_000, seed: 5), to: collection)
        #expect(try tier.appendSegment(Array("one\n".utf8), to: collection) == first)
        #expect(try tier.segments(of: collection) == [first, second].sorted())
        #expect(try tier.readSegment(first, of: collection, limit: 4) == Array("one\n".utf8))
        #expect(try tier.readSegment(second, of: collection, limit: 100_000) == noise(100_000, seed: 5))
        try Data([9]).write(to: URL(fileURLWithPath: "\(team)/\(ObjectName.segment(collection, first).path)"))
        #expect(
            throws: TierError(
                .damaged, "file://\(team)",
                "segment \(first.short) of teacher-ledger is damaged: its content has another digest",
                remedy: "export it again from a store that has it")
        ) { try tier.readSegment(first, of: collection, limit: 4) }
        #expect(SegmentCollection("../x") == nil && SegmentCollection("") == nil)
    }
}
