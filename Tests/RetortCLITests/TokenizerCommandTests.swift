import CanonicalJSON
import Foundation
import Testing

/// `retort tokenizer` as a user sees it, with a tokenizer of a few letters.
@Suite struct TokenizerCommandTests {
    private let workplace: Workplace

    init() throws {
        workplace = try Workplace()
        try workplace.write(Self.file(), to: "tokenizer.json")
        try workplace.write(
            #"{"eos_token":"<end>","model_max_length":512,"chat_template":"{{ 1 }}"}"#, to: "tokenizer_config.json")
    }

    private static func file(_ changes: [(String, JSON)] = []) -> String {
        let byteLevel: JSON = [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true,
        ]
        let end: JSON = ["id": 5, "content": "<end>", "special": true]
        let vocabulary: JSON = ["a": 0, "b": 1, "\u{C3}": 2, "\u{A9}": 3, "ab": 4]
        let model: JSON = ["type": "BPE", "vocab": vocabulary, "merges": [["a", "b"]]]
        var object = JSONObject([
            ("version", "1.0" as JSON), ("pre_tokenizer", byteLevel), ("decoder", byteLevel),
            ("added_tokens", .array([end])),
            ("model", model),
        ])
        for (key, value) in changes { object[key] = value }
        return JSON.object(object).canonicalText
    }

    private func run(_ command: String, _ options: [String] = [], input: String) throws -> Program.Outcome {
        try workplace.retort(["tokenizer", command, "--tokenizer", "tokenizer.json"] + options, input: input)
    }

    @Test func encodesStringsToIdsAndByteOffsets() throws {
        let outcome = try run("encode", input: "\"abéb\"\n\"\"\n\"a<end>\"")
        #expect(
            outcome.output == """
                {"ids":[4,2,3,1],"offsets":[[0,2],[2,4],[2,4],[4,5]]}
                {"ids":[],"offsets":[]}
                {"ids":[0,5],"offsets":[[0,1],[1,6]]}

                """)
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        let withTokens = try run("encode", ["--tokens"], input: "\"ab\"\n")
        #expect(withTokens.output == #"{"ids":[4],"offsets":[[0,2]],"tokens":["ab"]}"# + "\n")
        #expect(try run("encode", input: "").output.isEmpty)
    }

    @Test func decodesListsAndObjects() throws {
        let outcome = try run("decode", input: "[4,2,3,5]\n{\"ids\":[0],\"offsets\":[[0,1]]}\n[]\n[99,-1]\n")
        #expect(outcome.output == "\"abé<end>\"\n\"a\"\n\"\"\n\"\"\n")
        #expect(try run("decode", ["--skip-special-tokens"], input: "[4,5]\n").output == "\"ab\"\n")
    }

    @Test func aDirectoryIsATokenizerToo() throws {
        let outcome = try workplace.retort(["tokenizer", "encode", "--tokenizer", "."], input: "\"ab\"")
        #expect(outcome.output == "{\"ids\":[4],\"offsets\":[[0,2]]}\n")
    }

    @Test func describesATokenizer() throws {
        let json = try JSON.parse(run("inspect", ["--format", "json"], input: "").output)
        #expect(json["vocabulary_size"] == 6 && json["merges"] == 1 && json["special_tokens"] == ["<end>"])
        #expect(json["pre_tokenizer"] == "ByteLevel" && json["normalizer"] == nil as JSON)
        #expect(json["end_of_sequence"] == "<end>" && json["chat_template"] == true && json["maximum_length"] == 512)
        let text = try run("inspect", input: "").output
        #expect(text.hasPrefix("model                   byte-level BPE\nvocabulary size         6\n"))
    }

    @Test func keepsTheFilesLimitsUnlessToldOtherwise() throws {
        let truncation: JSON = ["max_length": 2, "stride": 0, "strategy": "LongestFirst", "direction": "Right"]
        let padding: JSON = [
            "strategy": ["Fixed": 3], "direction": "Right", "pad_to_multiple_of": nil, "pad_id": 5, "pad_type_id": 0,
            "pad_token": "<end>",
        ]
        try workplace.write(Self.file([("truncation", truncation), ("padding", padding)]), to: "tokenizer.json")
        #expect(try run("encode", input: "\"aaaa\"").output == "{\"ids\":[0,0,5],\"offsets\":[[0,1],[1,2],[0,0]]}\n")
        #expect(try run("encode", ["--whole"], input: "\"aaa\"").output.hasPrefix("{\"ids\":[0,0,0],"))
    }

    /// The answers to the lines before it are not lost.
    @Test(arguments: [
        ("7", "standard input:3: should be a string, found an integer"),
        ("\"\\ud800\"", "standard input:3:2: a lone surrogate in a string"),
        ("\"a\u{1}\"", "standard input:3:3: a control character inside a string must be escaped"),
        ("", "standard input:3:1: the text ends where a JSON value should stand"),
    ]) func aBadLineIsNamed(_ line: String, _ message: String) throws {
        let outcome = try run("encode", input: "\"a\"\n\"b\"\n\(line)\n\"a\"\n")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "error: \(message)\n")
        #expect(outcome.output.split(separator: "\n").count == 2)
    }

    @Test func aBadListOfIdsIsNamed() throws {
        #expect(try run("decode", input: "[1.5]").errors == "error: standard input:1: 1.5 is not a token id\n")
        #expect(try run("decode", input: "[4294967296]").errors.hasSuffix(": 4294967296 is not a token id\n"))
        #expect(
            try run("decode", input: "\"a\"").errors
                == "error: standard input:1: should be a list of token ids, or an object with ids; found a string\n")
    }

    @Test func aBadTokenizerFileIsNamed() throws {
        func errors() throws -> String {
            let outcome = try run("encode", input: "\"a\"")
            #expect(outcome.status == 1 && outcome.output.isEmpty)
            return outcome.errors
        }
        try workplace.write(String(Self.file().dropLast(9)), to: "tokenizer.json")
        #expect(try errors().hasPrefix("error: tokenizer.json:1:"))
        try workplace.write(Self.file([("normalizer", ["type": "Nmt"])]), to: "tokenizer.json")
        #expect(try errors() == "error: tokenizer.json: normalizer: the normalizer \"Nmt\" is not supported\n")
        let missing = try workplace.retort(["tokenizer", "encode", "--tokenizer", "no/where"], input: "")
        #expect(missing.errors == "error: cannot open no/where: No such file or directory\n" && missing.status == 1)
        #expect(try workplace.retort(["tokenizer", "encode"], input: "").status == 2)
    }

    @Test func manyLinesStayInOrderWhateverTheJobs() throws {
        let input = (0..<5000).map { "\"\(String(repeating: "ab", count: $0 % 7))\"\n" }.joined()
        let one = try run("encode", ["--jobs", "1"], input: input)
        let four = try run("encode", ["--jobs", "4"], input: input)
        #expect(one.output == four.output && one.output.split(separator: "\n").count == 5000)
    }
}
