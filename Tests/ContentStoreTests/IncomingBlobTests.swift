import Testing

@testable import ContentStore

/// A blob that is verified while it arrives.
@Suite struct IncomingBlobTests {
    private static func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) } }

    private func isIntact(_ file: [UInt8], of content: [UInt8], pieces: Int, limit: Int? = nil) -> Bool {
        let blob = IncomingBlob(Digest(of: content), limit: limit ?? content.count)
        for start in stride(from: 0, to: file.count, by: pieces) {
            file[start..<min(start + pieces, file.count)].withUnsafeBytes { blob.receive($0) }
        }
        return blob.isIntact()
    }

    @Test(arguments: [0, 1, 1000, 4 << 20, (4 << 20) + 1, 9_000_000], [777, 65_536, 1 << 24])
    func itIsIntactHoweverItArrives(_ count: Int, _ pieces: Int) {
        let content = Self.content(count)
        #expect(isIntact(Zstandard.compress(content), of: content, pieces: pieces))
    }

    @Test func aDamagedOneIsNot() {
        let content = Self.content(5000)
        let file = Zstandard.compress(content)
        for position in file.indices {
            var harmed = file
            harmed[position] ^= 1
            // Some bits of a zstd stream mean nothing.
            let decoded = try? Zstandard.decompressIfCompressed(harmed, name: "harmed", limit: 10_000)
            if decoded == content { continue }
            #expect(!isIntact(harmed, of: content, pieces: 100), "byte \(position)")
        }
        #expect(!isIntact(file.dropLast(), of: content, pieces: 100))
        #expect(!isIntact(file + [0], of: content, pieces: 100))
        #expect(!isIntact(file + file, of: content, pieces: 100, limit: 20_000))
        #expect(!isIntact(file, of: Self.content(5001), pieces: 100))
        #expect(!isIntact([], of: [], pieces: 100), "no frame is no empty content")
        #expect(!isIntact(content, of: content, pieces: 100), "plain content needs a closer look")
    }

    @Test func nothingIsDecompressedPastThePromise() {
        let content = [UInt8](repeating: 0, count: 6 << 20)
        #expect(!isIntact(Zstandard.compress(content), of: content, pieces: 1000, limit: 5 << 20))
    }

    @Test func anotherAttemptStartsAnew() {
        let content = Self.content(5000)
        let file = Zstandard.compress(content)
        let blob = IncomingBlob(Digest(of: content), limit: 5000)
        file[..<50].withUnsafeBytes { blob.receive($0) }
        blob.restart()
        file.withUnsafeBytes { blob.receive($0) }
        #expect(blob.isIntact())
    }
}
