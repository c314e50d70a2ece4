import CanonicalJSON
import Safetensors
import Testing

@testable import StudentJobs

@Suite struct TokenShardTests {
    static let tokens = [
        TokenRecord(id: "b", task: "sum", prompt: [5, 6, 7], completion: [8, 1]),
        TokenRecord(id: "a", prompt: [9], completion: [1]),
        TokenRecord(id: "é\"\n", task: "", prompt: [3, 3], completion: [4, 4, 1]),
    ]
    static let pairs = [
        TokenPairRecord(
            id: "q2", task: "sum", origin: "dual-negative", prompt: [2, 3], correct: [4, 5, 1], wrong: [4, 1],
            correctKeys: [0, 1, 0], wrongKeys: [0, 0]),
        TokenPairRecord(
            id: "q1", origin: "dual-positive", prompt: [2], correct: [1], wrong: [7, 1], correctKeys: [0],
            wrongKeys: [1, 0]),
    ]

    @Test func recordsReadBackInTheOrderOfTheirIDs() throws {
        #expect(try TokenShard.decode(TokenShard.encode(Self.tokens)).map(\.id) == ["a", "b", "é\"\n"])
        #expect(try TokenShard.decode(TokenShard.encode(Self.tokens)) == [1, 0, 2].map { Self.tokens[$0] })
        #expect(try TokenPairShard.decode(TokenPairShard.encode(Self.pairs)) == [1, 0].map { Self.pairs[$0] })
    }

    @Test func bytesDependOnTheSetOfRecordsAlone() throws {
        #expect(try TokenShard.encode(Self.tokens) == TokenShard.encode(Self.tokens.reversed()))
        #expect(try TokenPairShard.encode(Self.pairs) == TokenPairShard.encode(Self.pairs.reversed()))
    }

    @Test func emptyShardsReadBack() throws {
        #expect(try TokenShard.decode(TokenShard.encode([])) == [])
        #expect(try TokenPairShard.decode(TokenPairShard.encode([])) == [])
    }

    @Test func recordsShowAsJSON() {
        #expect(
            Self.tokens[0].json.canonicalText
                == #"{"completion_ids":[8,1],"id":"b","prompt_ids":[5,6,7],"task":"sum"}"#)
        #expect(
            Self.pairs[1].json.canonicalText
                == #"{"correct_ids":[1],"correct_keys":[0],"id":"q1","origin":"dual-positive","prompt_ids":[2],"#
                + #""wrong_ids":[7,1],"wrong_keys":[1,0]}"#)
    }

    @Test func impossibleRecordsAreNamed() {
        func expect(_ problem: String, _ id: String, _ body: () throws -> [UInt8]) {
            #expect(throws: TokenShardError(subject: "record \"\(id)\"", problem: problem), performing: body)
        }
        expect("is given twice", "a") { try TokenShard.encode([Self.tokens[1], Self.tokens[1]]) }
        expect("has no prompt tokens", "x") {
            try TokenShard.encode([TokenRecord(id: "x", prompt: [], completion: [1])])
        }
        expect("has no completion tokens", "x") {
            try TokenShard.encode([TokenRecord(id: "x", prompt: [1], completion: [])])
        }
        expect("has the prompt token -1", "x") {
            try TokenShard.encode([TokenRecord(id: "x", prompt: [-1], completion: [1])])
        }
        var pair = Self.pairs[0]
        pair.wrongKeys = [1]
        expect("has 2 wrong tokens and a key mask of 1", "q2") { try TokenPairShard.encode([pair]) }
        pair.wrongKeys = [1, 2]
        expect("has a wrong mask with values beside 0 and 1", "q2") { try TokenPairShard.encode([pair]) }
    }

    @Test func otherFilesAreRefused() throws {
        let pairs = try TokenPairShard.encode(Self.pairs)
        #expect(
            throws: TokenShardError(
                subject: "f", problem: "should be a shard of tokens/1, found \"token-pairs/1\"")
        ) { try TokenShard.decode(pairs, source: "f") }
        let plain = try SafetensorsArchive.encode([])
        #expect(
            throws: TokenShardError(subject: "f", problem: "should be a shard of tokens/1, found no artifact type")
        ) { try TokenShard.decode(plain, source: "f") }
        let offsets = try SafetensorsArchive.encode(
            [
                TensorContent("records", Array(#"[{"id":"a"}]"#.utf8)), TensorContent("prompt.ids", [1, 2] as [Int32]),
                TensorContent("prompt.offsets", [0, 3] as [Int64]), TensorContent("completion.ids", [1] as [Int32]),
                TensorContent("completion.offsets", [0, 1] as [Int64]),
            ], metadata: [("type", "tokens/1")])
        #expect(
            throws: TokenShardError(
                subject: "f", problem: "prompt.offsets should rise from 0 to 2, one step a record")
        ) { try TokenShard.decode(offsets, source: "f") }
    }
}
