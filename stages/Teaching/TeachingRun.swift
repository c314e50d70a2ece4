import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import Teachers

/// The names under which stages account for teacher calls.
public enum TeacherCost {
    /// Calls made in this execution.
    public static let calls = "teacher_calls"
    /// Calls that the response ledger answered.
    public static let saved = "teacher_calls_saved"
}

/// What the teacher stages do alike: prompt a teacher about each record, verify what it concludes, and account for it.
struct TeachingRun {
    let context: any ActionContext
    let prompt: Prompt
    let settings: TeacherSettings

    init(_ context: any ActionContext, _ kind: Prompt.Kind, _ settings: TeacherSettings) throws {
        self.context = context
        self.settings = settings
        let bytes = try context.sourceBytes("prompt")
        let file = context.source("prompt").written
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DataFileError(file, "is not UTF-8 text")
        }
        prompt = try Prompt(kind, text: text, file: file)
    }

    /// A question to put, with what its answer is checked against.
    struct Assignment {
        let id: String
        let task: String
        let question: String
        let answer: String
        let subject: Prompt.Subject
    }

    /// Asks about each assignment. The results stand in the order of the assignments; one without an answer is counted
    /// as dropped and left out.
    func ask(
        _ assignments: [Assignment], origin: ChainOfThought.Origin, accounting: inout Accounting
    ) async throws -> [ChainOfThought] {
        let teacher = try settings.makeTeacher(context)
        let ledger = try LedgerAccess(context)
        let requests = assignments.map {
            TeacherRequest(id: $0.id, messages: prompt.messages(for: $0.subject), sampling: settings.sampling)
        }
        let (responses, calls) = await ledger.respond(to: requests, by: teacher)
        accounting.costs[TeacherCost.calls, default: 0] += calls.made
        accounting.costs[TeacherCost.saved, default: 0] += calls.saved
        var cots: [ChainOfThought] = []
        for (assignment, response) in zip(assignments, responses) {
            switch response {
            case .success(let response):
                let verdict = AnswerVerifier.verify(response.text, gold: assignment.answer)
                cots.append(
                    ChainOfThought(
                        id: assignment.id, task: assignment.task, question: assignment.question,
                        answer: assignment.answer, cot: response.text, predicted: verdict.predicted,
                        correct: verdict.correct, origin: origin, teacher: teacher.name,
                        mistakes: (response.mistakes?.isEmpty ?? true) ? nil : response.mistakes))
            case .failure(let error):
                guard let reason = error.dropReason else { throw RecordFailure(record: assignment.id, error) }
                accounting.drop(reason)
            }
        }
        return cots
    }
}
