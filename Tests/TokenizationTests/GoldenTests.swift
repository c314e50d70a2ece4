import CanonicalJSON
import TestData
import Testing
import Tokenization

/// Identifiers, offsets and decoded text of the Python package `tokenizers`, family by family.
@Suite struct GoldenTests {
    static let families = GoldenTokenizers.families
    static let folder = "goldens/tokenizers"

    @Test(.enabled(if: SharedData.exists(folder), "needs ../shared/\(folder)"), arguments: families)
    func encodesAsTheGoldensDo(_ family: String) throws {
        let tokenizer = try GoldenTokenizers.tokenizer(family)
        let rows = try SharedData.records("\(Self.folder)/\(family)/goldens.jsonl")
        #expect(rows.count >= 1000)
        for row in rows {
            let text = try row.string("t")
            let expected = try row.array("i").compactMap { $0.integer.map(Int32.init) }
            let encoding = tokenizer.encodeWithOffsets(text)
            #expect(encoding.ids == expected, "\(text.debugDescription)")
            #expect(tokenizer.encode(text) == expected)
            if let offsets = (row["b"] ?? row["c"])?.array {
                #expect(
                    encoding.offsets.flatMap { [$0.lowerBound, $0.upperBound] } == offsets.compactMap(\.integer),
                    "\(text.debugDescription)")
            }
            let decoded = row["d"]?.string ?? text
            expectBytes(tokenizer.decode(expected), decoded)
            expectBytes(tokenizer.decode(expected, skipsSpecialTokens: true), row["s"]?.string ?? decoded)
        }
    }

    @Test(.enabled(if: SharedData.exists(folder), "needs ../shared/\(folder)"), arguments: families)
    func decodesCutTokensAsTheGoldensDo(_ family: String) throws {
        let tokenizer = try GoldenTokenizers.tokenizer(family)
        for row in try SharedData.records("\(Self.folder)/\(family)/decode.jsonl") {
            let ids = try row.array("i").compactMap { $0.integer.map(Int32.init) }
            let decoded = try row.string("d")
            expectBytes(tokenizer.decode(ids), decoded)
            expectBytes(tokenizer.decode(ids, skipsSpecialTokens: true), row["s"]?.string ?? decoded)
        }
    }

    @Test(.enabled(if: SharedData.exists(folder), "needs ../shared/\(folder)"))
    func templatesAddTheirPrefix() throws {
        let manifest = try JSON.parse(SharedData.bytes("goldens/manifest.json"))
        for family in Self.families {
            let tokenizer = try GoldenTokenizers.tokenizer(family)
            let prefix = manifest["summary"]?["tokenizers"]?[family]?["prefix"]?.array ?? []
            let ids = tokenizer.encode("A text", addsSpecialTokens: true)
            #expect(ids == prefix.compactMap { $0.integer.map(Int32.init) } + tokenizer.encode("A text"), "\(family)")
        }
    }

    @Test(.enabled(if: SharedData.exists(folder), "needs ../shared/\(folder)"))
    func promptsAndCompletionsMeetAsTheGoldensDo() throws {
        let tokenizer = try GoldenTokenizers.tokenizer("smollm2")
        for row in try SharedData.records("\(Self.folder)/smollm2/boundary.jsonl") {
            let (prompt, completion) = (try row.string("prompt"), try row.string("completion"))
            let ids = tokenizer.encode(prompt)
            let full = tokenizer.encode(prompt + completion)
            let agreement = try row.integer("agree")
            let (p, q) = (try row.array("p"), try row.array("full"))
            #expect(ids == p.compactMap { $0.integer.map(Int32.init) })
            #expect(full == q.compactMap { $0.integer.map(Int32.init) })
            #expect(zip(ids, full).prefix { $0 == $1 }.count == agreement)
        }
    }

    private func expectBytes(_ found: String, _ expected: String) {
        #expect(found.utf8.elementsEqual(expected.utf8), "\(found.debugDescription) for \(expected.debugDescription)")
    }
}
