import Glibc
import Testing

@testable import ContentStore

@Suite struct BlobTests {
    let folder: TemporaryFolder
    let store: LocalStore

    init() throws {
        folder = try TemporaryFolder()
        store = try LocalStore(at: folder.file("store"))
    }

    func reopened(_ access: LocalStore.Access = .readWrite) throws -> LocalStore {
        try LocalStore(at: folder.file("store"), access: access)
    }

    func blobPath(_ digest: Digest) -> String {
        folder.file("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst")
    }

    @Test func contentOfAnySizeRoundTrips() throws {
        var generator = SeededGenerator(seed: 8)
        let frame = ZstdFrames.contentBytes
        for size in [0, 1, 100, 70_000, frame - 1, frame, frame + 1, 3 * frame, 14_000_000] {
            let bytes = size > 10_000_000 ? generator.bytes(size) : generator.noise(size)
            let digest = try store.write(bytes)
            #expect(digest == Digest(of: bytes))
            #expect(try store.read(digest, limit: size) == bytes, "before it is in place")
            try store.flush()
            #expect(try store.read(digest, limit: size) == bytes)
            let other = try reopened()
            #expect(try other.contains(digest))
            #expect(try other.read(digest, bytes: size) == bytes)
        }
    }

    @Test func contentsWrittenTogetherAreTheOnesWrittenOneByOne() throws {
        var generator = SeededGenerator(seed: 21)
        // Some small, some beyond a frame, some twice, more than fit into one batch.
        let contents =
            (0..<5000).map { generator.bytes($0 % 700) } + [generator.bytes(5_000_000), generator.bytes(17_000_000)]
            + (0..<10).map { _ in Array("the same".utf8) }
        let known = try store.write(contents[13])
        let kept = try store.write(Array(contents.indices), sizes: contents.map(\.count)) { contents[$0] }
        #expect(kept == contents.map { FileContent(digest: Digest(of: $0), bytes: $0.count) })
        #expect(kept[13].digest == known)
        try store.flush()
        let other = try reopened(.readOnly)
        for (content, bytes) in zip(kept, contents) {
            #expect(try other.read(content.digest, bytes: content.bytes) == bytes)
        }
        let temporary = try #require(store.session).folder
        #expect(try listing(temporary).allSatisfy { Int($0) == nil }, "no temporary file is left")
    }

    @Test func writingTogetherThrowsTheFirstElementsError() throws {
        struct Refusal: Error, Equatable { let element: Int }
        for bad in [[7, 3000], [4500, 4999], [0]] {
            #expect(throws: Refusal(element: bad[0])) {
                _ = try store.write(Array(0..<5000), sizes: Array(repeating: 1, count: 5000)) { element in
                    if bad.contains(element) { throw Refusal(element: element) }
                    return [UInt8(element % 256)]
                }
            }
        }
    }

    @Test func filesRoundTripWithTheSameIdentityAndBytesAsContent() throws {
        var generator = SeededGenerator(seed: 9)
        let frame = ZstdFrames.contentBytes
        for size in [0, 1, 5000, frame, frame + 1, 2 * frame, 6 * frame + 12345] {
            let bytes = generator.bytes(size)
            let source = try folder.write("source", bytes)
            let content = try store.writeFile(at: source)
            #expect(content == FileContent(digest: Digest(of: bytes), bytes: size))
            try store.flush()
            let target = folder.file("target-\(size)")
            try reopened().readFile(content.digest, limit: size, to: target)
            #expect(try contents(target) == bytes)

            let direct = try LocalStore(at: folder.file("other"))
            _ = try direct.write(bytes)
            try direct.flush()
            let name = "blobs/\(content.digest.hex.prefix(2))/\(content.digest.hex).zst"
            #expect(try contents(folder.file("other/\(name)")) == contents(folder.file("store/\(name)")))
        }
    }

    @Test func theLevelChangesNoIdentity() throws {
        let bytes = Array(String(repeating: "the same text again and again, ", count: 3000).utf8)
        let fast = try LocalStore(at: folder.file("fast"), compressionLevel: 1)
        let small = try LocalStore(at: folder.file("small"), compressionLevel: 15)
        #expect(try fast.write(bytes) == small.write(bytes))
    }

    @Test func missingBlobsAreNamedInTheOrderAsked() throws {
        let known = try store.write([1, 2, 3])
        let unknown = (0..<1000).map { Digest(of: "\($0)") }
        #expect(try store.missing(among: unknown + [known] + unknown) == unknown + unknown)
        let error = try #require(throws: ContentStoreError.self) { try store.read(unknown[0], limit: 10) }
        #expect(error.code == .missingBlob)
        #expect(error.description.contains(unknown[0].short))
    }

    @Test func moreThanWasPromisedIsRefused() throws {
        let digest = try store.write([UInt8](repeating: 7, count: 1000))
        #expect(throws: ContentStoreError.self) { try store.read(digest, limit: 999) }
        let error = try #require(throws: ContentStoreError.self) { try store.read(digest, limit: 999) }
        #expect(error.code == .tooLarge)
        #expect(error.problem == "has 1000 bytes where at most 999 bytes were promised")
        let short = try #require(throws: ContentStoreError.self) { try store.read(digest, bytes: 1001) }
        #expect(short.problem == "has 1000 bytes where its manifest says 1001")
        #expect(try store.read(digest, limit: 1000).count == 1000, "the blob itself is fine")
    }

    /// Flips single bits all over small blobs and some of a large one; each must be seen, and never a crash.
    @Test(arguments: [1, 300, 9_000_000])
    func everyFlippedBitIsSeen(size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        let bytes = generator.bytes(size)
        let digest = try store.write(bytes)
        try store.flush()
        let path = blobPath(digest)
        let intact = try contents(path)
        let positions =
            intact.count < 400
            ? Array(intact.indices) : (0..<16).map { _ in Int.random(in: 0..<intact.count, using: &generator) }
        for position in positions {
            var damaged = intact
            damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            try folder.write("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", damaged)
            let other = try reopened()
            do {
                // A flip in a reserved or unused bit may leave the content as it was; that is no damage.
                #expect(try other.read(digest, limit: size) == bytes, "byte \(position)")
            } catch let error as ContentStoreError {
                #expect(error.code == .corruptBlob || error.code == .tooLarge, "byte \(position): \(error)")
            }
        }
    }

    @Test func truncationAndAppendedBytesAreSeen() throws {
        var generator = SeededGenerator(seed: 10)
        let bytes = generator.bytes(9_000_000)
        let digest = try store.write(bytes)
        try store.flush()
        let intact = try contents(blobPath(digest))
        let cuts = (0..<8).map { _ in Array(intact[..<Int.random(in: 0..<intact.count, using: &generator)]) }
        for damaged in cuts + [intact + [0], intact + intact, Array("no frame at all".utf8)] {
            try folder.write("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", damaged)
            let other = try reopened()
            if damaged.isEmpty { #expect(try !other.contains(digest)) }
            let error = try #require(throws: ContentStoreError.self) { try other.read(digest, limit: bytes.count) }
            #expect(error.code == .corruptBlob || error.code == .tooLarge)
            try folder.write("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", damaged)
            let target = folder.file("out")
            #expect(throws: ContentStoreError.self) { try other.readFile(digest, limit: bytes.count, to: target) }
            #expect(try !listing(folder.path).contains { $0.hasPrefix("out") }, "nothing half-written is left")
        }
    }

    @Test func aDamagedBlobIsPutAsideAndWrittenAnew() throws {
        let bytes = Array("some content worth keeping".utf8)
        let digest = try store.write(bytes)
        try store.flush()
        try folder.write("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", "rubbish")
        let other = try reopened()
        let error = try #require(throws: ContentStoreError.self) { try other.read(digest, limit: 100) }
        #expect(error.code == .corruptBlob)
        #expect(
            error.description
                == "blob \(digest.hex): it is damaged: a frame does not start as zstd frames do (it was moved to "
                + "\(folder.file("store/quarantine"))); run again: what needs it is computed or fetched anew")
        #expect(try contents(folder.file("store/quarantine/\(digest.hex).zst")) == Array("rubbish".utf8))
        #expect(try !other.contains(digest))
        #expect(try other.write(bytes) == digest)
        try other.flush()
        #expect(try reopened().read(digest, limit: 100) == bytes)
    }

    @Test func writingContentThatLiesThereDamagedHealsIt() throws {
        let bytes = Array("some content worth keeping".utf8)
        let digest = try store.write(bytes)
        try store.flush()
        let intact = try contents(blobPath(digest))
        let elsewhere = try LocalStore(at: folder.file("elsewhere"))
        let longer = try elsewhere.write([UInt8](repeating: 0, count: 5000))
        try elsewhere.flush()
        let foreign = try contents(folder.file("elsewhere/blobs/\(longer.hex.prefix(2))/\(longer.hex).zst"))
        for damage in [Array("rubbish".utf8), [], Array(intact.dropLast()), foreign] {
            try folder.write("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", damage)
            let other = try reopened()
            _ = try other.write(bytes)
            try other.flush()
            #expect(try contents(blobPath(digest)) == intact)
        }
    }

    @Test func aReadOnlyStoreReportsDamageAndLeavesItInPlace() throws {
        let digest = try store.write([1, 2, 3])
        try store.flush()
        try folder.write("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", "rubbish")
        let other = try reopened(.readOnly)
        let error = try #require(throws: ContentStoreError.self) { try other.read(digest, limit: 3) }
        #expect(error.code == .corruptBlob)
        #expect(try contents(blobPath(digest)) == Array("rubbish".utf8))
        #expect(throws: ContentStoreError.self) { try other.write([9]) }
    }

    @Test func aBombIsSeenBeforeItGoesOff() throws {
        // 4 GiB of zeros in frames of 4 MiB: a few hundred KB.
        let frame = [UInt8](repeating: 0, count: ZstdFrames.contentBytes).withUnsafeBytes {
            BlobFile.compress($0, level: 3)
        }
        let digest = Digest(of: "bomb")
        try folder.write(
            "store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", Array((0..<1024).map { _ in frame }.joined()))
        for limit in [100, 5_000_000, 1 << 24] {
            let error = try #require(throws: ContentStoreError.self) { try store.read(digest, limit: limit) }
            #expect(error.code == .tooLarge)
            let file = try #require(throws: ContentStoreError.self) {
                try store.readFile(digest, limit: limit, to: folder.file("out"))
            }
            #expect(file.code == .tooLarge)
            #expect(try !listing(folder.path).contains { $0.hasPrefix("out") })
        }
    }

    @Test func aFrameThatLiesAboutItsSizeIsDamage() throws {
        // One frame that declares 1 TiB: the magic number, a descriptor with an 8-byte content size, the size.
        let header: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0] + [0, 0, 0, 0, 0, 1, 0, 0] + [1, 0, 0]
        let digest = Digest(of: "liar")
        try folder.write("store/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst", header)
        let error = try #require(throws: ContentStoreError.self) { try store.read(digest, limit: 1 << 50) }
        #expect(error.code == .corruptBlob)
    }

    @Test func onlyRegularFilesAreTaken() throws {
        let source = try folder.write("source", "x")
        symlink(source, folder.file("link"))
        mkfifo(folder.file("pipe"), 0o644)
        for name in ["link", "pipe", ".", "absent"] {
            #expect(throws: ContentStoreError.self, "\(name)") { try store.writeFile(at: folder.file(name)) }
        }
    }

    @Test func aFileThatGrowsWhileItIsReadIsRefused() throws {
        // The read of a large file is interleaved with appends by giving the writer more than the status said.
        var generator = SeededGenerator(seed: 11)
        let source = try folder.write("source", generator.bytes(9_000_000))
        let file = try FileSystem.open(source, O_RDONLY)
        let appending = try FileSystem.open(source, O_WRONLY | O_APPEND)
        let target = try FileSystem.open(folder.file("target"), O_WRONLY | O_CREAT)
        let before = try FileSystem.status(of: file, source)
        let raw = file.raw
        let rawAppending = appending.raw
        let content = try BlobFile.write(to: target, "target", level: 3) { buffer in
            try [UInt8](repeating: 1, count: 10).withUnsafeBytes { try FileSystem.write($0, to: rawAppending, source) }
            return try FileSystem.read(raw, into: buffer, source)
        }
        #expect(try FileSystem.status(of: file, source) != before)
        #expect(content.bytes != before.bytes)
    }

    @Test func readingNeverReplacesAFile() throws {
        let digest = try store.write([1, 2, 3])
        let target = try folder.write("target", "mine")
        let error = try #require(throws: ContentStoreError.self) { try store.readFile(digest, limit: 3, to: target) }
        #expect(error.errno == EEXIST)
        #expect(try contents(target) == Array("mine".utf8))
    }
}
