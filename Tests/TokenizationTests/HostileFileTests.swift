import CanonicalJSON
import Glibc
import Testing
import Tokenization

/// Files and texts made to exhaust a reader: each is an error or an exact answer. With RETORT_HOSTILE_SIZE=1 at full
/// size (100 MB of merges, 10 MB in one line), else at a fiftieth of it.
@Suite struct HostileFileTests {
    static let scale = getenv("RETORT_HOSTILE_SIZE") == nil ? 50 : 1

    private func file(vocabulary: [(String, JSON)], merges: [JSON], _ changes: [(String, JSON)] = []) -> JSON {
        var object = JSONObject([
            ("version", "1.0"),
            ("model", ["type": "BPE", "vocab": .object(JSONObject(vocabulary)), "merges": .array(merges)] as JSON),
        ])
        for (key, value) in changes { object[key] = value }
        return .object(object)
    }

    private func problem(_ json: JSON) -> String {
        do {
            _ = try Tokenizer(json)
            return "no error"
        } catch { return error.description }
    }

    @Test func tooManyMergesAreRefused() throws {
        // As bytes, as a file has them: at full size 100 MB.
        let merge = Array(#"["a","b"],"#.utf8)
        var bytes = Array(#"{"version":"1.0","model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["#.utf8)
        let count = max(2_100_000, 100_000_000 / merge.count) / (Self.scale == 1 ? 1 : 40)
        bytes.reserveCapacity(bytes.count + count * merge.count)
        for _ in 0..<count { bytes += merge }
        bytes += Array(#"["a","b"]]}}"#.utf8)
        let problem = problem(try JSON.parse(bytes))
        if count > 1 << 21 {
            #expect(problem == "tokenizer.json: model.merges: has \(count + 1) entries; at most 2097152 are supported")
        } else {
            #expect(problem == "no error")
        }
    }

    @Test func oneEnormousMergeIsRefused() {
        let long = String(repeating: "a", count: 100_000_000 / Self.scale)
        let message = problem(file(vocabulary: [("a", 0)], merges: [[.string(long), "a"]]))
        #expect(message.hasPrefix("tokenizer.json: model.merges[0]: the token \"aaa"))
        #expect(message.utf8.count < 1000)
    }

    @Test func aChainOfMergesThatDoublesStopsAtTheLongestToken() throws {
        // a, aa, aaaa, … up to 65 536 letters: tokens as long as the vocabulary has them, in O(n log n) steps.
        var (vocabulary, merges): ([(String, JSON)], [JSON]) = ([("a", 0)], [])
        for power in 0..<16 {
            let half = String(repeating: "a", count: 1 << power)
            merges.append([.string(half), .string(half)])
            vocabulary.append((half + half, .integer(Int64(power + 1))))
        }
        let tokenizer = try Tokenizer(file(vocabulary: vocabulary, merges: merges, [("decoder", ["type": "Fuse"])]))
        let text = String(repeating: "a", count: 10_000_000 / Self.scale)
        let ids = tokenizer.encode(text)
        #expect(tokenizer.decode(ids).utf8.count == text.utf8.count)
        #expect(ids.first == 16)
    }

    @Test func mergesThatRunInCirclesEnd() throws {
        // "" joins with anything into the same again, and ab comes of a and b in two ways.
        let tokenizer = try Tokenizer(
            file(
                vocabulary: [("", 0), ("a", 1), ("b", 2), ("ab", 3)],
                merges: [["", "a"], ["a", ""], ["", ""], ["a", "b"], ["a", "b"], ["", "ab"]],
                [("decoder", ["type": "Fuse"])]))
        #expect(tokenizer.encode("abab") == [3, 3])
        #expect(tokenizer.decode([0, 3, 0]) == "ab")
    }

    @Test func duplicateIdentifiersAndHolesAreNamed() throws {
        #expect(
            problem(file(vocabulary: [("a", 7), ("b", 7)], merges: []))
                == "tokenizer.json: model.vocab: the tokens \"a\" and \"b\" share the identifier 7")
        #expect(
            problem(file(vocabulary: [("a", 2_000_000_000)], merges: []))
                == "tokenizer.json: model.vocab: the identifier 2000000000 is out of range for 1 tokens")
        let holes = try Tokenizer(file(vocabulary: [("a", 0), ("b", 1_000_000)], merges: []))
        #expect(holes.encode("ab") == [0, 1_000_000])
        #expect(holes.token(500_000) == nil && holes.decode([0, 500_000, 1_000_000]) == "a b")
    }

    @Test(arguments: [
        "(a*)*b", "(?:(?:a+)+)+!", "(?:a?){300}b", "((a?){40}a{40})+b", "(?:a|aa|aaa)*+b", "(?>(?:a|b)*)*c",
    ])
    func aPatternThatWouldBacktrackTakesOneLookAtEachPlace(_ pattern: String) throws {
        let split: JSON = [
            "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false,
        ]
        let tokenizer = try Tokenizer(
            file(vocabulary: [("a", 0)], merges: [], [("pre_tokenizer", split)]))
        let count = 100_000 / Self.scale
        #expect(tokenizer.encode(String(repeating: "a", count: count)).count == count)
    }

    @Test func nulAndTenMegabytesInOneWord() throws {
        let tokenizer = try Tokenizer(BPETrainer(vocabularySize: 280).train(on: ["aaaa bbbb"]))
        let text = String(repeating: "ab\0", count: 10_000_000 / 3 / Self.scale)
        let encoding = tokenizer.encodeWithOffsets(text)
        #expect(encoding.offsets.last?.upperBound == text.utf8.count)
        #expect(tokenizer.decode(encoding.ids).utf8.elementsEqual(text.utf8))
    }

    @Test func loneSurrogatesAreNoText() {
        for escape in [#""\ud800""#, #""\udc00\ud800""#, #""\ud800\u0041""#] {
            #expect(throws: JSONSyntaxError.self) { try JSON.parse(escape) }
        }
    }

    /// Templates that would take all time or memory; the messages say which bound they met.
    @Test(arguments: [
        ("{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}", "too long"),
        ("{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}", "too large"),
        (
            "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
            "large"
        ),
        ("{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}", "too large"),
        ("{{ range(0, -9223372036854775807 - 1, -1) }}", "is too long"),
        ("{{ 'ab' * 9223372036854775807 }}", "a string becomes too long"),
        ("{{ ('a' * 99999).replace('a', 'b' * 99999) }}", "a string becomes too long"),
        ("{{ ('\n' * 99999) | indent(1000) }}", "a string becomes too long"),
        ("{{ [[1]] | tojson(indent=9223372036854775807) }}", "a string becomes too long"),
        ("{% for c in 'a' * 1100000 %}{% endfor %}", "cannot loop over a string of more than 1048576 bytes"),
        ("{% macro f(x) %}{{ f(x) ~ f(x) }}{% endmacro %}{{ f(1) }}", "macros call each other without end"),
        (String(repeating: "x", count: 2 << 20), "has 2097152 bytes; at most 1048576 are supported"),
    ]) func aTemplateWithoutEndIsRefused(_ source: String, _ problem: String) {
        do {
            let text = try ChatTemplate(source).render([], addsGenerationPrompt: false)
            Issue.record("rendered \(text.utf8.count) bytes")
        } catch { #expect("\(error)".contains(problem), "\(error)") }
    }

    @Test func searchingInLongStringsTakesLinearTime() throws {
        let source =
            "{{ ('a' * 200000) in ('a' * 190000 ~ 'b') }} {{ ('a,' * 200000).split(',') | length }} "
            + "{{ (' a' * 200000).split() | length }} {{ ('ab' * 9).replace('ba', '-', 2) }} {{ 'aaaa'.count('aa') }}"
        #expect(
            try ChatTemplate(source).render([], addsGenerationPrompt: false) == "False 200001 200000 a--babababababab 2"
        )
    }
}
