import CanonicalJSON
import Glibc
import SeededRandomness
import TestData
import Testing
import Tokenization

/// Every reader of tokenizer files and templates, and the encoder behind them, fed with damaged input: each answer is
/// consistent or an error, never a trap. More rounds with RETORT_FUZZ_ROUNDS, other ones with RETORT_FUZZ_SEED.
@Suite struct TokenizationFuzzTests {
    static let rounds = getenv("RETORT_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 600
    static let seed = getenv("RETORT_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) } ?? 17

    /// What holds for any tokenizer and text.
    private func check(_ tokenizer: Tokenizer, _ text: String, _ note: String) {
        let encoding = tokenizer.encodeWithOffsets(text, addsSpecialTokens: true, keepsLimits: true)
        #expect(encoding.ids.count == encoding.offsets.count, "\(note)")
        let length = text.utf8.count
        #expect(encoding.offsets.allSatisfy { $0.upperBound <= length }, "\(note)")
        let plain = tokenizer.encodeWithOffsets(text)
        #expect(tokenizer.encode(text) == plain.ids, "\(note)")
        // A second time from the cache.
        #expect(tokenizer.encode(text) == plain.ids, "\(note)")
        #expect(plain.ids.allSatisfy { $0 >= 0 && tokenizer.token($0) != nil }, "\(note)")
        _ = tokenizer.decode(encoding.ids)
        _ = tokenizer.decode(encoding.ids, skipsSpecialTokens: true)
        _ = tokenizer.decode([-1, .max, 0, 3, 3])
    }

    private func tryFile(_ json: JSON, _ texts: [String], _ note: String) -> Bool {
        do {
            let tokenizer = try Tokenizer(json)
            for text in texts { check(tokenizer, text, note) }
            return true
        } catch let error {
            #expect(!error.description.isEmpty, "\(note)")
            return false
        }
    }

    @Test func theCorpusIsReadOrRefused() throws {
        let texts = try Corpus("texts").texts
        for entry in try Corpus("tokenizers").entries {
            #expect(tryFile(try JSON.parse(entry.bytes), texts, entry.name), "\(entry.name)")
        }
        for entry in try Corpus("patterns").entries {
            checkPattern(String(decoding: entry.bytes, as: UTF8.self), texts, entry.name)
        }
        for entry in try Corpus("templates").entries {
            checkTemplate(String(decoding: entry.bytes, as: UTF8.self), entry.name)
        }
    }

    @Test func aDamagedTokenizerFileIsReadOrRefused() throws {
        let (files, texts) = (try Corpus("tokenizers"), try Corpus("texts").texts)
        var mutator = Mutator(
            seed: Self.seed,
            pieces: [
                "null", "-1", "0", "9223372036854775807", "1e9", "\"\"", "[]", "{}", "true", "\"\\u2581\"", "\"<s>\"",
                "{\"Regex\":\"a*\"}", "{\"type\":\"Fuse\"}",
            ])
        var documents = try files.entries.map { try JSON.parse($0.bytes) }
        documents.append(documents[0])
        for round in 0..<Self.rounds {
            let note = "seed \(Self.seed), round \(round)"
            let json: JSON
            if round % 3 == 0 {
                // Bytes; most are no JSON any more.
                guard let parsed = try? JSON.parse(mutator.mutation(of: files)) else { continue }
                json = parsed
            } else {
                let (base, other) = (
                    documents.randomElement(using: &mutator.random)!, documents.randomElement(using: &mutator.random)!
                )
                json = damaged(base, with: other, &mutator.random)
            }
            _ = tryFile(json, [texts.randomElement(using: &mutator.random)!], note)
        }
    }

    /// With one or two values replaced by values from another document or by odd ones.
    private func damaged(_ json: JSON, with other: JSON, _ random: inout SplitMix) -> JSON {
        var result = json
        for _ in 0...Int.random(in: 0...1, using: &random) {
            let odd: [JSON] = [
                .null, .bool(true), .integer(-1), .integer(0), .integer(.max), .number(0.5), "", "a", "\u{2581}", [],
                [:],
                ["a"], [["a", "b"]],
            ]
            let foreign = Int.random(in: 0..<2, using: &random) == 0 ? odd : parts(of: other)
            var place = Int.random(in: 0..<parts(of: result).count, using: &random)
            result = replacing(&place, in: result, with: foreign.randomElement(using: &random)!)
        }
        return result
    }

    private func parts(of json: JSON) -> [JSON] {
        let members = json.array ?? json.object?.members.map(\.value) ?? []
        return [json] + members.flatMap(parts)
    }

    private func replacing(_ place: inout Int, in json: JSON, with value: JSON) -> JSON {
        if place == 0 {
            place -= 1
            return value
        }
        place -= 1
        if let elements = json.array {
            return .array(elements.map { place < 0 ? $0 : replacing(&place, in: $0, with: value) })
        }
        guard let object = json.object else { return json }
        return .object(
            JSONObject(
                object.members.map { ($0.key, place < 0 ? $0.value : replacing(&place, in: $0.value, with: value)) }))
    }

    // MARK: Patterns

    private static let behaviors = ["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]

    private func checkPattern(
        _ pattern: String, _ texts: [String], _ note: String, behaviors: [String] = Self.behaviors
    ) {
        for behavior in behaviors {
            let split: JSON = [
                "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": .string(behavior), "invert": false,
            ]
            let bytes: JSON = [
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false,
            ]
            let model: JSON = ["type": "BPE", "vocab": ["?": 0], "merges": [], "unk_token": "?", "fuse_unk": true]
            let file: JSON = [
                "version": "1.0", "pre_tokenizer": ["type": "Sequence", "pretokenizers": [split, bytes]],
                "model": model,
            ]
            guard let tokenizer = try? Tokenizer(file) else { return }
            for text in texts {
                // The words follow each other, and unless matches are removed they are the whole text.
                let isWhole = behavior != "Removed"
                var place = 0
                for word in tokenizer.encodeWithOffsets(text).offsets {
                    // Several bytes of a character have its offsets.
                    if word.upperBound == place { continue }
                    #expect(
                        isWhole ? word.lowerBound == place : word.lowerBound >= place,
                        "\(note): \(pattern.debugDescription)")
                    place = word.upperBound
                }
                if isWhole { #expect(place == text.utf8.count, "\(note): \(pattern.debugDescription)") }
            }
        }
    }

    @Test func aDamagedPatternSplitsTheTextOrIsRefused() throws {
        let (patterns, texts) = (try Corpus("patterns"), try Corpus("texts").texts)
        var mutator = Mutator(
            seed: Self.seed,
            pieces: [
                "(?:", ")", "*", "+", "?", "{2,3}", "{,9}", "|", "[^", "]", "\\p{L}", "\\s", "(?i)", "(?=", "(?<!", "^",
                "$",
                "(?>", "\\", "-", "&&", ".", "++", "*?", "\u{17F}",
            ])
        for round in 0..<Self.rounds {
            let pattern = String(decoding: mutator.mutation(of: patterns), as: UTF8.self)
            checkPattern(
                pattern, [texts.randomElement(using: &mutator.random)!], "seed \(Self.seed), round \(round)",
                behaviors: [Self.behaviors.randomElement(using: &mutator.random)!])
        }
    }

    // MARK: Templates

    private func checkTemplate(_ source: String, _ note: String) {
        do {
            let messages = [
                ChatMessage(role: "system", content: ""), ChatMessage(role: "user", content: " \u{E9}\0 {{ x }} "),
            ]
            let template = try ChatTemplate(source)
            let one = try template.render(messages, addsGenerationPrompt: true)
            #expect(try template.render(messages, addsGenerationPrompt: true).utf8.elementsEqual(one.utf8), "\(note)")
        } catch {
            #expect("\(error)".contains("line"), "\(note): \(error)")
        }
    }

    @Test func aDamagedTemplateIsRenderedOrRefused() throws {
        // Numbers are cut short, because rounds that take all the steps there are take long; the corpus is read whole.
        let templates = Corpus(
            entries: try Corpus("templates").entries.map { entry in
                let source = String(decoding: entry.bytes, as: UTF8.self)
                return (entry.name, Array(source.replacing(/[0-9]{3,18}/, with: "9").utf8))
            })
        var mutator = Mutator(
            seed: Self.seed,
            pieces: [
                "{{", "}}", "{%", "%}", "{#", "-%}", " | ", "tojson", " if ", " else ", "[", "]", "[::-1]", "(", ")",
                "'",
                " in ", " ~ ", " * ", "9223372036854775807", "-1", "messages", "loop", "{% endfor %}", "{% endif %}",
                " | join(',')", ".split(',')", "range(9)", "namespace(x=1)", "none", "{", "}", ":",
            ])
        for round in 0..<Self.rounds {
            checkTemplate(
                String(decoding: mutator.mutation(of: templates), as: UTF8.self), "seed \(Self.seed), round \(round)")
        }
    }

    // MARK: Texts

    @Test func anyTextComesBackFromBytes() throws {
        let texts = try Corpus("texts")
        let tokenizer = try Tokenizer(
            BPETrainer(vocabularySize: 300, specialTokens: ["<end>"]).train(on: texts.texts + ["the the answer answer"])
        )
        var mutator = Mutator(
            seed: Self.seed, pieces: ["\u{0}", "\u{2581}", "<end>", "\r\n", "\u{301}", "  ", "\u{10FFFF}", "'s", "42"])
        for round in 0..<Self.rounds {
            // Lone surrogates and broken bytes become U+FFFD where text is made of bytes.
            let text = String(decoding: mutator.mutation(of: texts), as: UTF8.self)
            let note = "seed \(Self.seed), round \(round)"
            check(tokenizer, text, note)
            #expect(tokenizer.decode(tokenizer.encode(text)).utf8.elementsEqual(text.utf8), "\(note)")
        }
    }

    @Test(
        .enabled(
            if: SharedData.exists(PythonComparisonTests.folder), "needs ../shared/\(PythonComparisonTests.folder)"),
        arguments: GoldenTests.families)
    func publishedTokenizersTakeAnyText(_ family: String) throws {
        let tokenizer = try GoldenTokenizers.tokenizer(family)
        let texts = try Corpus("texts")
        var mutator = Mutator(
            seed: Self.seed, pieces: ["\u{0}", "\u{2581}", "<s>", "<|im_start|>", "\u{301}", "\u{1F600}"])
        for round in 0..<Self.rounds / 10 {
            let text = String(decoding: mutator.mutation(of: texts), as: UTF8.self)
            check(tokenizer, text, "seed \(Self.seed), round \(round)")
        }
    }
}
