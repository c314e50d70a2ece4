import CanonicalJSON
import StageGraph
import Testing

@testable import Stages

@Suite struct TeacherResourceTests {
    /// All stages that ask a teacher, with one of this kind.
    private func pipeline(_ teacher: [(String, JSON)]) throws -> Pipeline {
        let asked = DraftValue.mapping(teacher.map { (Located($0.0), Located(.scalar($0.1))) })
        func stage(
            _ name: String, _ type: String, _ inputs: [(String, String)] = [], _ parameters: [(String, DraftValue)]
        ) -> StageDraft {
            StageDraft(
                name: Located(name), uses: Located(type), inputs: inputs.map { (Located($0.0), [Located($0.1)]) },
                parameters: parameters.map { (Located($0.0), Located($0.1)) })
        }
        let asking: [(String, DraftValue)] = [("prompt", .scalar("prompt.txt")), ("teacher", asked)]
        return try PipelineDraft(
            name: "p", baseDirectory: "/",
            stages: [
                stage("questions", "synthetic-tasks", [], [("count", .scalar(4)), ("seed", .scalar(1))]),
                stage("cots", "teacher-sampling", [("questions", "questions")], asking),
                stage("rectified", "rectification", [("wrong", "cots.wrong")], asking),
                stage(
                    "demonstrations", "demonstrations", [("wrong", "cots.wrong"), ("rectified", "rectified")],
                    [("per-task", .scalar(1))]),
                stage(
                    "corrupted", "corruption", [("correct", "cots.correct"), ("demonstrations", "demonstrations")],
                    asking),
            ]
        ).validated(against: .edit)
    }

    @Test func aTeacherBehindAnAPITakesANetworkCallAndNoSlot() throws {
        let pipeline = try pipeline([
            ("kind", "openai"), ("url", "http://127.0.0.1:1/v1"), ("model", "m"), ("concurrency", 64),
        ])
        for name in ["cots", "rectified", "corrupted"] {
            #expect(pipeline.stage(name)?.stage.resources == Resources(cpuSlots: 0, networkCalls: 1), "\(name)")
        }
        #expect(pipeline.stage("demonstrations")?.stage.resources == Resources())
    }

    @Test func anEmbeddedTeacherTakesASlot() throws {
        let pipeline = try pipeline([("kind", "synthetic")])
        for name in ["cots", "rectified", "corrupted"] {
            #expect(pipeline.stage(name)?.stage.resources == Resources(), "\(name)")
        }
    }
}
