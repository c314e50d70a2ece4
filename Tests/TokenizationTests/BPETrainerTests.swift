import CanonicalJSON
import Testing
import Tokenization

@Suite struct BPETrainerTests {
    private let texts = [
        "the cat sat on the mat", "the cats sat on the mats", "12 cats and 345 mats", "the end. The end?\n\n  the end",
    ]

    private func merges(_ json: JSON) -> [String] {
        json["model"]?["merges"]?.array?.map { $0.array!.map { $0.string! }.joined(separator: " ") } ?? []
    }

    @Test func mergesTheMostFrequentPairsFirst() throws {
        // Words and counts: "ab" 3, "abc" 2, "bc" 2: ab 5, bc 4; then ab c 2.
        let json = try BPETrainer(vocabularySize: 259, split: .llama3(digits: 3), minimumFrequency: 1)
            .train(on: ["ab\nab\nab\nabc\nabc\nbc\nbc"])
        // "\n" alone stands between the words: it precedes no letter in Llama 3's pattern.
        #expect(merges(json) == ["a b", "b c", "ab c"])
    }

    @Test func tiesGoToTheLowestIdentifiers() throws {
        let json = try BPETrainer(vocabularySize: 258, minimumFrequency: 1).train(on: ["cd", "ab"])
        #expect(merges(json) == ["a b", "c d"])
    }

    @Test func theOrderOfTheTextsDoesNotMatter() throws {
        let trainer = BPETrainer(vocabularySize: 300)
        #expect(try trainer.train(on: texts) == trainer.train(on: texts.reversed()))
    }

    @Test(arguments: [
        BPETrainer.Split.gpt2(singleDigits: true), .gpt2(singleDigits: false), .llama3(digits: 3), .llama3(digits: 1),
    ]) func aTrainedTokenizerReadsBackAnyText(_ split: BPETrainer.Split) throws {
        let trainer = BPETrainer(
            vocabularySize: 275, specialTokens: ["<pad>", "<eos>"], split: split, minimumFrequency: 1)
        let json = try trainer.train(on: texts)
        let tokenizer = try Tokenizer(json: json.canonicalBytes)
        #expect(tokenizer.vocabularySize == 275)
        for text in texts + ["", "\u{0}\u{7F}é e\u{301} \u{1F600}\r\n\t…"] {
            let encoding = tokenizer.encodeWithOffsets(text)
            #expect(tokenizer.decode(encoding.ids).utf8.elementsEqual(text.utf8))
            #expect(encoding.offsets.last?.upperBound ?? 0 == text.utf8.count)
        }
        #expect(tokenizer.encode("<pad><eos>") == [0, 1])
        #expect(tokenizer.encode("the").count < 3)
    }

    @Test func singleDigitsStayApart() throws {
        let numbers = [String](repeating: "1212 12", count: 20)
        let apart = try Tokenizer(BPETrainer(vocabularySize: 300).train(on: numbers))
        #expect(apart.encode("1212").count == 4)
        let joined = try Tokenizer(
            BPETrainer(vocabularySize: 300, split: .gpt2(singleDigits: false)).train(on: numbers))
        #expect(joined.encode("1212").count == 1)
    }

    @Test func aBeginningOfSequenceIsPutBeforeTheText() throws {
        let trainer = BPETrainer(
            vocabularySize: 260, specialTokens: ["<pad>", "<bos>"], beginningOfSequence: "<bos>")
        let tokenizer = try Tokenizer(trainer.train(on: texts))
        #expect(tokenizer.encode("a", addsSpecialTokens: true) == [1] + tokenizer.encode("a"))
        let encoding = tokenizer.encodeWithOffsets("a", addsSpecialTokens: true)
        #expect(encoding.offsets == [0..<0, 0..<1])
    }

    @Test func rarePairsAreNotMerged() throws {
        #expect(merges(try BPETrainer(vocabularySize: 300, minimumFrequency: 3).train(on: ["ab", "ab"])).isEmpty)
    }

    @Test(arguments: [
        (
            BPETrainer(vocabularySize: 256, specialTokens: ["<pad>"]),
            "tokenizer training: a vocabulary of 256 tokens has no room for 1 special tokens and 256 bytes; "
                + "it needs at least 257"
        ),
        (
            BPETrainer(vocabularySize: 300, specialTokens: ["x", "<a>", "<a>"]),
            "tokenizer training: the special token \"x\" is the token of a byte"
        ),
        (
            BPETrainer(vocabularySize: 300, specialTokens: ["<a>", "<a>"]),
            "tokenizer training: the special token \"<a>\" is listed twice"
        ),
        (
            BPETrainer(vocabularySize: 300, beginningOfSequence: "<s>"),
            "tokenizer training: the beginning of sequence \"<s>\" is not among the special tokens"
        ),
    ]) func contradictionsAreRefused(_ trainer: BPETrainer, _ message: String) {
        let error = #expect(throws: BPETrainerError.self) { try trainer.train(on: []) }
        #expect(error?.description == message)
    }

    @Test func theConfigurationReadsBack() throws {
        let configuration = TokenizerConfiguration(
            endOfSequence: "<eos>", padding: "<pad>", chatTemplate: "{{ messages }}", maximumLength: 512)
        #expect(try TokenizerConfiguration(configuration.json) == configuration)
        let other: JSON = [
            "eos_token": ["content": "</s>", "lstrip": false], "model_max_length": 1e30,
            "chat_template": [["name": "tool", "template": "a"], ["name": "default", "template": "b"]],
        ]
        let read = try TokenizerConfiguration(other)
        #expect(read == TokenizerConfiguration(endOfSequence: "</s>", chatTemplate: "b"))
        let error = #expect(throws: TokenizerError.self) { try TokenizerConfiguration(["eos_token": 5]) }
        #expect(error?.description == "tokenizer_config.json: eos_token: should be a token, found an integer")
    }
}
