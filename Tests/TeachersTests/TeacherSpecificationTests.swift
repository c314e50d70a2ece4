import CanonicalJSON
import Testing

@testable import Teachers

@Suite("Teacher specifications")
struct TeacherSpecificationTests {
    @Test("name a synthetic teacher and its parameters")
    func readsSynthetic() throws {
        let json = try JSON.parse(#"{"kind":"synthetic","error-rate":0.4,"seed":12,"refusal-rate":1}"#)
        var expected = SyntheticTeacherParameters(seed: 12, errorRate: 0.4)
        expected.refusalRate = 1
        #expect(try TeacherSpecification(json: json) == .synthetic(expected))
        #expect(try TeacherSpecification(json: ["kind": "synthetic"]) == .synthetic(SyntheticTeacherParameters()))
    }

    @Test("name a recorded teacher and its fields")
    func readsRecorded() throws {
        #expect(
            try TeacherSpecification(json: ["kind": "recorded", "path": "a.jsonl", "cot-field": "text"])
                == .recorded(path: "a.jsonl", fields: RecordedTeacher.Fields(id: "id", cot: "text")))
        #expect(
            try TeacherSpecification(json: ["kind": "recorded"])
                == .recorded(path: nil, fields: RecordedTeacher.Fields()))
    }

    @Test("report every problem at once")
    func reportsAllProblems() throws {
        func message(_ text: String) -> String {
            do {
                _ = try TeacherSpecification(json: JSON.parse(text))
                return "no error"
            } catch {
                return String(describing: error)
            }
        }
        #expect(
            message(#"{"kind":"synthetic","eror-rate":0.4,"seed":-1,"refusal-rate":1.5,"hint-leak-rate":"no"}"#) == """
                a synthetic teacher has no key "eror-rate"; did you mean "error-rate"?
                "seed" should be a whole number from 0 up, found -1
                "hint-leak-rate" should be a number from 0 to 1, found a string
                "refusal-rate" should be a number from 0 to 1, found 1.5
                """)
        #expect(
            message(#"{"kind":"recoded"}"#)
                == #"there is no teacher of kind "recoded"; did you mean "recorded"?"#)
        #expect(message("{}") == #"the teacher has no key "kind"; it should be "synthetic" or "recorded""#)
        #expect(message(#"{"kind":3}"#) == #""kind" should be "synthetic" or "recorded", found an integer"#)
        #expect(
            message(#""synthetic""#) == #"a teacher should be an object with the key "kind", found a string"#)
        #expect(
            message(#"{"kind":"recorded","path":"","pth":1}"#) == """
                a recorded teacher has no key "pth"; did you mean "path"?
                "path" should be a text that is not empty, found a string
                """)
    }
}
