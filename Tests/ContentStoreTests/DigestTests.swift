import ContentStore
import Testing

@Suite struct DigestTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func isTheStandardsSHA256(text: String, hex: String) {
        #expect(Digest(of: text).hex == hex)
        #expect(Digest(of: Array(text.utf8)).hex == hex)
        #expect(Digest(of: text.utf8.lazy.map { $0 }).hex == hex)
        #expect(Digest(hex: hex) == Digest(of: text))
        #expect(Digest(of: text).short == String(hex.prefix(12)))
    }

    @Test func piecesGiveTheSameDigestAsTheWhole() {
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.noise(100_000)
        var hasher = Hasher256()
        var position = 0
        while position < bytes.count {
            let end = min(bytes.count, position + Int.random(in: 0...5000, using: &generator))
            hasher.update(bytes[position..<end])
            position = end
        }
        #expect(hasher.finalize() == Digest(of: bytes))
    }

    @Test func ordersLikeItsHexadecimalText() {
        let digests = (0..<200).map { Digest(of: "\($0)") }
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
    }

    @Test(arguments: [
        "", "abc", String(repeating: "g", count: 64), String(repeating: "A", count: 64),
        String(repeating: "0", count: 63), String(repeating: "0", count: 65),
    ])
    func otherTextIsNoDigest(text: String) {
        #expect(Digest(hex: text) == nil)
    }

    @Test func bytesRoundTrip() {
        let digest = Digest(of: "x")
        #expect(digest.bytes.count == 32)
        #expect(Digest(bytes: digest.bytes) == digest)
        #expect(Digest(bytes: [1, 2, 3]) == nil)
    }
}
