import CanonicalJSON
import Reasoning
import Testing

@Suite struct RecordTests {
    static let records: [any Record] = [
        Question(id: "q1", task: "navigate", question: "Where?", answer: "Yes"),
        Question(
            id: "q2", task: "t", question: "q", answer: "(A)", taskDescription: "d", options: ["x", "y"], level: 3),
        ChainOfThought(
            id: "q1", task: "t", question: "q", answer: "5", cot: "I think 6.", predicted: nil, correct: false,
            origin: .sampled, teacher: "synthetic"),
        ChainOfThought(
            id: "q1", task: "t", question: "q", answer: "5", cot: "the answer is 6.", predicted: "6", correct: false,
            origin: .corrupted, teacher: "synthetic", mistakes: [Mistake(kind: .calculation, span: 14..<15)],
            hintLeaked: false),
        DualPair(
            id: "q1", task: "t", question: "q", answer: "5", correctCoT: "5", wrongCoT: "6", correctPredicted: "5",
            wrongPredicted: "6", origin: .wrongFirst, differingShare: 0.5),
        Alignment(
            id: "q1", task: "t", origin: .natural, correctCoT: "a b", wrongCoT: "a c", distance: 1, correctTokens: 2,
            wrongTokens: 2, keyShare: 0.5, segments: [.init(operation: .replace, correct: 2..<3, wrong: 2..<3)]),
        Demonstration(id: "d", task: "t", question: "q", rightResponse: "r", wrongResponse: "w"),
        Generation(
            id: "q1", task: "t", question: "q", answer: "5", output: "the answer is 5", predicted: "5", correct: true,
            finishReason: .stop, tokens: 6),
        TrainingExample(id: "q1#answer", task: "t", question: "q", completion: "5"),
        TrainingExample(id: "q1", task: "t", question: "q", given: "g", completion: "5", weight: 0.5),
        Accuracy(id: "task:t", n: 4, correct: 2, unparsed: 1, accuracy: 0.5, low: 0.15, high: 0.85),
    ]

    @Test(arguments: records.indices) func readsBackWhatItWrites(_ index: Int) throws {
        func check<R: Record>(_ record: R) throws {
            let parsed = try #require(JSON.parse(record.json.canonicalBytes).object)
            #expect(try R(json: parsed) == record)
        }
        try check(Self.records[index])
    }

    @Test func leavesOutWhatIsNil() {
        #expect(
            Self.records[0].json.canonicalText
                == #"{"answer":"Yes","id":"q1","question":"Where?","task":"navigate"}"#)
    }

    @Test func equalityIsByBytes() {
        let composed = Question(id: "q", task: "t", question: "caf\u{E9}", answer: "a")
        let decomposed = Question(id: "q", task: "t", question: "cafe\u{301}", answer: "a")
        #expect(composed != decomposed)
    }

    @Test(arguments: [
        (#"{"task":"t","question":"q","answer":"a"}"#, "field \"id\" is missing"),
        (#"{"id":"","task":"t","question":"q","answer":"a"}"#, "field \"id\" is empty"),
        (#"{"id":"i","task":"t","question":"q","answer":5}"#, "field \"answer\" should be a string, found an integer"),
        (
            #"{"id":"i","task":"t","question":"q","answer":"a","options":["x",1]}"#,
            "field \"options[1]\" should be a string, found an integer"
        ),
    ]) func aBadQuestionNamesTheField(_ text: String, _ message: String) throws {
        let object = try #require(JSON.parse(text).object)
        let error = #expect(throws: JSONFieldError.self) { try Question(json: object) }
        #expect(error?.description == message)
    }

    @Test func anUnknownWordNamesTheKnownOnes() throws {
        var object = try #require(Self.records[4].json.object)
        object["origin"] = "elsewhere"
        let error = #expect(throws: JSONFieldError.self) { try DualPair(json: object) }
        #expect(
            error?.description
                == "field \"origin\" is \"elsewhere\"; it should be one of \"correct-first\", \"wrong-first\", \"natural\""
        )
    }

    @Test func aSpanOutsideItsTextIsRefused() throws {
        var object = try #require(Self.records[3].json.object)
        object["cot"] = "short"
        let error = #expect(throws: JSONFieldError.self) { try ChainOfThought(json: object) }
        #expect(error?.description == "field \"mistakes[0]\" spans bytes 14 to 15 of a rationale of 5 bytes")
    }
}
