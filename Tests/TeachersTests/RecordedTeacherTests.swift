import CanonicalJSON
import Testing

@testable import Teachers

@Suite("The recorded teacher")
struct RecordedTeacherTests {
    private func teacher(_ text: String, fields: RecordedTeacher.Fields = .init()) throws -> RecordedTeacher {
        try RecordedTeacher(jsonLines: Array(text.utf8), file: "cots.jsonl", fields: fields)
    }

    @Test("answers by the question's id, whatever the prompt")
    func answersByID() async throws {
        let teacher = try teacher(
            "{\"key\":\"a\",\"text\":\"one\"}\n\n{\"key\":\"b\",\"text\":\"two\"}\r\n",
            fields: .init(id: "key", cot: "text"))
        #expect(teacher.count == 2)
        let response = try await teacher.respond(to: TeacherRequest(id: "b", messages: []))
        #expect(response == TeacherResponse(text: "two"))
    }

    @Test("keeps ids apart that only look alike")
    func keysByBytes() async throws {
        let teacher = try teacher("{\"id\":\"\u{e9}\",\"cot\":\"one\"}\n{\"id\":\"e\u{301}\",\"cot\":\"two\"}")
        let composed = try await teacher.respond(to: TeacherRequest(id: "\u{e9}", messages: []))
        let decomposed = try await teacher.respond(to: TeacherRequest(id: "e\u{301}", messages: []))
        #expect(composed.text == "one" && decomposed.text == "two")
    }

    @Test("drops a question without a recording under a reason of its own, and goes on")
    func reportsMissing() async throws {
        let teacher = try teacher("{\"id\":\"a\",\"cot\":\"one\"}")
        let requests = ["x", "a"].map { TeacherRequest(id: $0, messages: []) }
        let results = await teacher.respond(to: requests)
        let error = TeacherError(.noRecording, "there is no recorded answer", questionID: "x")
        #expect(results == [.failure(error), .success(TeacherResponse(text: "one"))])
        #expect(error.dropReason == "no-recording" && !error.stopsStage)
        #expect(error.description == "question \"x\": there is no recorded answer")
    }

    @Test("names file and line of what it cannot read")
    func reportsBadLines() {
        let cases = [
            (
                "{\"id\":\"a\",\"cot\":\"one\"}\n{\"id\":",
                "cots.jsonl:2: column 7: the text ends where a JSON value should stand"
            ),
            ("[]", "cots.jsonl:1: is no JSON object"), ("{\"id\":\"a\"}", "cots.jsonl:1: field \"cot\" is missing"),
            ("\n{\"id\":3,\"cot\":\"\"}", "cots.jsonl:2: field \"id\" should be a string, found an integer"),
            (
                "{\"id\":\"a\",\"cot\":\"one\"}\n\n{\"id\":\"a\",\"cot\":\"two\"}",
                "cots.jsonl:3: the id \"a\" stands on line 1 already"
            ),
        ]
        for (text, message) in cases {
            #expect { try teacher(text) } throws: { String(describing: $0) == message }
        }
    }

    @Test("identifies itself by its recordings")
    func hasIdentity() throws {
        #expect(
            try teacher("").identity.canonicalText == """
                {"cot-field":"cot","id-field":"id","kind":"recorded",\
                "recordings":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
                """)
    }
}
