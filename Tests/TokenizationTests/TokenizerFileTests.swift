import CanonicalJSON
import Testing
import Tokenization

@Suite struct TokenizerFileTests {
    /// A byte-level tokenizer of the letters a to c, with changes.
    private func file(_ changes: [(String, JSON)] = [], model: [(String, JSON)] = []) -> JSON {
        var modelObject = JSONObject([
            ("type", "BPE"), ("vocab", ["a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4] as JSON),
            ("merges", [["a", "b"], ["ab", "c"]] as JSON),
        ])
        for (key, value) in model { modelObject[key] = value }
        var object = JSONObject([
            ("version", "1.0"), ("model", .object(modelObject)), ("pre_tokenizer", byteLevel), ("decoder", byteLevel),
        ])
        for (key, value) in changes { object[key] = value }
        return .object(object)
    }

    private let byteLevel: JSON = [
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]

    private func message(_ json: JSON) -> String {
        do {
            _ = try Tokenizer(json)
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test func readsAndUsesASmallFile() throws {
        let tokenizer = try Tokenizer(file())
        #expect(tokenizer.encode("abcab") == [4, 3])
        #expect(tokenizer.decode([4, 3, 99, -1]) == "abcab")
        #expect(tokenizer.vocabularySize == 5)
        #expect(tokenizer.token(3) == "ab" && tokenizer.id(of: "abc") == 4 && tokenizer.id(of: "z") == nil)
        // Without an unknown token, what the vocabulary lacks vanishes, and its neighbours meet.
        #expect(tokenizer.encode("axbc") == [4])
        #expect(tokenizer.encode("") == [])
    }

    @Test func readsMergesInTheOlderForm() throws {
        #expect(try Tokenizer(file(model: [("merges", ["a b", "ab c"])])).encode("abc") == [4])
    }

    @Test func aComponentThatIsNotSupportedIsNamed() {
        let unigram: JSON = ["type": "Unigram"]
        #expect(message(file([("model", unigram)])) == "tokenizer.json: model: the model \"Unigram\" is not supported")
        #expect(
            message(file([("normalizer", ["type": "Sequence", "normalizers": [["type": "NFC"], ["type": "Nmt"]]])]))
                == "tokenizer.json: normalizer.normalizers[1]: the normalizer \"Nmt\" is not supported")
        #expect(
            message(file([("pre_tokenizer", ["type": "BertPreTokenizer"])]))
                == "tokenizer.json: pre_tokenizer: the pre-tokenizer \"BertPreTokenizer\" is not supported")
        #expect(
            message(file([("decoder", ["type": "CTC"])]))
                == "tokenizer.json: decoder: the decoder \"CTC\" is not supported")
        #expect(
            message(file([("post_processor", ["type": "BertProcessing"])]))
                == "tokenizer.json: post_processor: the post-processor \"BertProcessing\" is not supported")
        #expect(message(file(model: [("dropout", 0.1)])) == "tokenizer.json: model.dropout: 0.1 is not supported")
    }

    @Test func aBrokenModelSaysWhatIsWrong() {
        #expect(
            message(file(model: [("merges", [["a", "z"]])]))
                == "tokenizer.json: model.merges[0]: the token \"z\" is not in the vocabulary")
        #expect(
            message(file(model: [("merges", [["b", "c"]])]))
                == "tokenizer.json: model.merges[0]: the token \"bc\" is not in the vocabulary")
        #expect(
            message(file(model: [("merges", ["a b c"])]))
                == "tokenizer.json: model.merges[0]: \"a b c\" is not a pair of tokens")
        #expect(
            message(file(model: [("vocab", ["a": 0, "b": 0]), ("merges", [])]))
                == "tokenizer.json: model.vocab: the tokens \"a\" and \"b\" share the identifier 0")
        #expect(
            message(file(model: [("vocab", ["a": 4_000_000_000]), ("merges", [])]))
                == "tokenizer.json: model.vocab: the identifier 4000000000 is out of range for 1 tokens")
        #expect(
            message(file(model: [("unk_token", "?")]))
                == "tokenizer.json: model.unk_token: \"?\" is not in the vocabulary")
        #expect(message(file([("version", "2.0")])) == "tokenizer.json: version: should be \"1.0\", found \"2.0\"")
        #expect(message("text") == "tokenizer.json: should be an object, found a string")
    }

    @Test func anAddedTokenKeepsItsIdentifier() throws {
        let end: JSON = ["id": 5, "content": "<end>", "special": true]
        let tokenizer = try Tokenizer(file([("added_tokens", [end])]))
        #expect(tokenizer.encode("ab<end>c") == [3, 5, 2])
        #expect(tokenizer.decode([3, 5, 2]) == "ab<end>c")
        #expect(tokenizer.decode([3, 5, 2], skipsSpecialTokens: true) == "abc")
        #expect(tokenizer.vocabularySize == 6)
        let moved: JSON = ["id": 7, "content": "<end>", "special": true]
        #expect(
            message(file([("added_tokens", [moved])]))
                == "tokenizer.json: added_tokens[0]: \"<end>\" has the identifier 7 but would get 5")
    }

    @Test func addedTokensMindTheirSurroundings() throws {
        let flags: [(String, JSON)] = [("lstrip", true), ("rstrip", true), ("single_word", true)]
        func tokenizer(_ names: Set<String>) throws -> Tokenizer {
            var token = JSONObject([("id", 5), ("content", "<x>"), ("normalized", false)])
            for (name, value) in flags where names.contains(name) { token[name] = value }
            return try Tokenizer(file([("added_tokens", [.object(token)])]))
        }
        // The space before b vanishes, and offsets count on from it as if b stood in its place.
        let left = try tokenizer(["lstrip"]).encodeWithOffsets("a  <x> b")
        #expect(left.ids == [0, 5, 1] && left.offsets == [0..<1, 1..<6, 6..<7])
        let right = try tokenizer(["rstrip"]).encodeWithOffsets("a  <x> b")
        #expect(right.ids == [0, 5, 1] && right.offsets == [0..<1, 3..<7, 7..<8])
        #expect(try tokenizer(["single_word"]).encode("a<x>b") == [0, 1])
        #expect(try tokenizer(["single_word"]).encode("a <x> b") == [0, 5, 1])
    }
}
