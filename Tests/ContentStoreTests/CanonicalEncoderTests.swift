import CanonicalJSON
import ContentStore
import Testing

@Suite struct CanonicalEncoderTests {
    /// What can be put into an encoding, as a value that compares.
    enum Item: Hashable {
        case text(String, [UInt8])
        case bytes(String, [UInt8])
        case integer(String, Int)
        case digest(String, Digest)
        case json(String, [UInt8])
        case list(String, Int)
    }

    static func encode(_ domain: String, _ items: [Item]) throws -> [UInt8] {
        var encoder = CanonicalEncoder(domain: domain)
        for item in items {
            switch item {
            case .text(let name, let value): encoder.field(name, String(decoding: value, as: UTF8.self))
            case .bytes(let name, let value): encoder.field(name, bytes: value)
            case .integer(let name, let value): encoder.field(name, value)
            case .digest(let name, let value): encoder.field(name, value)
            case .json(let name, let value): encoder.field(name, try JSON.parse(value))
            case .list(let name, let count): encoder.list(name, count: count)
            }
        }
        return encoder.bytes
    }

    static func randomItems(_ generator: inout SeededGenerator) -> [Item] {
        let alphabet: [Character] = ["a", "b", "\u{0}", "1", "\"", "s", "F"]
        return (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            let name = generator.text(Int.random(in: 0...2, using: &generator), from: ["a", "b", "\u{0}"])
            let text = Array(generator.text(Int.random(in: 0...3, using: &generator), from: alphabet).utf8)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: return .text(name, text)
            case 1: return .bytes(name, text)
            case 2: return .integer(name, Int.random(in: -2...300, using: &generator))
            case 3: return .digest(name, Digest(of: text))
            case 4: return .json(name, JSON.string(String(decoding: text, as: UTF8.self)).canonicalBytes)
            default: return .list(name, Int.random(in: 0...3, using: &generator))
            }
        }
    }

    @Test func differentPreimagesNeverEncodeAlike() throws {
        var generator = SeededGenerator(seed: 20_261_123)
        var seen: [[UInt8]: (String, [Item])] = [:]
        for _ in 0..<15_000 {
            let domain = generator.text(Int.random(in: 0...2, using: &generator), from: ["a", "\u{0}"])
            let items = CanonicalEncoderTests.randomItems(&generator)
            let bytes = try CanonicalEncoderTests.encode(domain, items)
            if let other = seen.updateValue((domain, items), forKey: bytes) {
                #expect(other.0 == domain && other.1 == items)
            }
        }
        #expect(seen.count > 5_000)
    }

    @Test func aByteMovedBetweenNeighboursChangesTheKey() {
        func key(_ a: String, _ b: String) -> Digest {
            var encoder = CanonicalEncoder(domain: "test/1")
            encoder.field("a", a)
            encoder.field("b", b)
            return encoder.digest()
        }
        #expect(key("xy", "z") != key("x", "yz"))
        #expect(key("", "xyz") != key("xyz", ""))
        #expect(key("x", "y") != key("y", "x"))
    }

    @Test func textsThatOnlyLookAlikeDiffer() {
        var composed = CanonicalEncoder(domain: "test/1")
        composed.field("a", "\u{e9}")
        var decomposed = CanonicalEncoder(domain: "test/1")
        decomposed.field("a", "e\u{301}")
        #expect(composed.digest() != decomposed.digest())
    }

    @Test func theOrderOfKeysInJSONDoesNotCount() throws {
        var first = CanonicalEncoder(domain: "test/1")
        first.field("parameters", try JSON.parse(#"{"b":1,"a":0.5}"#))
        var second = CanonicalEncoder(domain: "test/1")
        second.field("parameters", try JSON.parse(#"{ "a": 5e-1, "b": 1.0 }"#))
        #expect(first.digest() == second.digest())
    }

    /// Changing any of these changes every key in every store: then the domain's version has to change, too.
    @Test func goldenDigests() {
        #expect(
            CanonicalEncoder(domain: "").digest().hex
                == "36f2093b7cd9e8a030aa9bf62ab87084f6c6a04e0a14ee8b3280edd2d5a12bdb")
        var encoder = CanonicalEncoder(domain: "action/1")
        encoder.field("stage", "teacher-sampling")
        encoder.field("version", 3)
        encoder.field("parameters", ["temperature": 0.7, "samples": 4, "nested": ["x": .null, "é": "\n"]] as JSON)
        encoder.list("inputs", count: 2)
        encoder.field("questions", Digest(of: "questions"))
        encoder.field("prompt", bytes: [0, 255, 10])
        #expect(
            encoder.digest().hex
                == "3e9b897ca6f43dbb1eb91de67ed51d51cc53aff5624fdd1a233d46f3b6de8744")
        encoder.field("offset", -1)
        #expect(
            encoder.digest().hex
                == "df8b38198a9f4365cad4c009a89a2f5c504ea1a5f0a8191809acc19755e527fc")
    }

    @Test func layoutIsAsDocumented() {
        var encoder = CanonicalEncoder(domain: "d")
        encoder.field("n", "v")
        encoder.field("i", 258)
        encoder.list("l", count: 2)
        let one: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
        var expected: [UInt8] = Array("retort\u{0}".utf8) + one + Array("d".utf8)
        expected += Array("F".utf8) + one + Array("ns".utf8) + one + Array("v".utf8)
        expected += Array("F".utf8) + one + Array("ii".utf8) + [2, 1, 0, 0, 0, 0, 0, 0]
        expected += Array("L".utf8) + one + Array("l".utf8) + [2, 0, 0, 0, 0, 0, 0, 0]
        #expect(encoder.bytes == expected)
    }
}
