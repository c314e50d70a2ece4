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

    /// Assignments that wait for their answers.
    func about(_ assignments: [Assignment], _ origin: ChainOfThought.Origin) throws -> Questions {
        let session = TeacherSession.current
        return Questions(
            run: self, assignments: assignments, origin: origin, teacher: try settings.makeTeacher(context, session),
            ledger: try LedgerAccess(context, session))
    }

    /// What came of them.
    struct Answers {
        /// In the order of the assignments; those without an answer are left out.
        var cots: [ChainOfThought]
        var accounting: Accounting
    }

    /// The request that puts an assignment to the teacher.
    func request(_ assignment: Assignment, sample: Int = 0) -> TeacherRequest {
        TeacherRequest(
            id: assignment.id, messages: prompt.messages(for: assignment.subject), sampling: settings.sampling,
            sampleIndex: sample)
    }

    /// An answer without text is none. It has been paid for and stays in the ledger.
    fileprivate func use(
        _ result: Result<TeacherResponse, TeacherError>, for assignment: Assignment, of teacher: any Teacher
    ) -> Result<TeacherResponse, TeacherError> {
        guard case .success(let response) = result, !teacher.endpoint.isEmpty, response.text.allSatisfy(\.isWhitespace)
        else { return result }
        let problem =
            "\(teacher.endpoint), model \(teacher.name): the answer is empty (finish reason"
            + " \"\(response.finishReason.word)\"); raise max-tokens if it was cut off before its first word, and ask again"
            + " with --retry-finish-reason \(response.finishReason.word)"
        let error = TeacherError(.empty, problem, questionID: assignment.id)
        context.report(JSONObject([("warning", .string("\(error)"))]))
        return .failure(error)
    }

    /// Whether no further sample is needed: a corruption has to be wrong, everything else right.
    fileprivate func isOfUse(_ cot: ChainOfThought) -> Bool { cot.correct != (cot.origin == .corrupted) }

    fileprivate func cot(
        _ assignment: Assignment, _ response: TeacherResponse, _ origin: ChainOfThought.Origin, _ teacher: String
    ) -> ChainOfThought {
        let verdict = AnswerVerifier.verify(response.text, gold: assignment.answer)
        return ChainOfThought(
            id: assignment.id, task: assignment.task, question: assignment.question, answer: assignment.answer,
            cot: response.text, predicted: verdict.predicted, correct: verdict.correct, origin: origin,
            teacher: teacher,
            mistakes: (response.mistakes?.isEmpty ?? true) ? nil : response.mistakes)
    }
}

/// Assignments with the teacher to whom they are put.
struct Questions {
    fileprivate let run: TeachingRun
    fileprivate let assignments: [TeachingRun.Assignment]
    fileprivate let origin: ChainOfThought.Origin
    fileprivate let teacher: any Teacher
    fileprivate let ledger: LedgerAccess

    /// Asks about each assignment; one without an answer is counted as dropped.
    ///
    /// - Throws: `RecordFailure` with the first failure that is not about one question alone.
    func answers() async throws -> TeachingRun.Answers {
        var accounting = Accounting(recordsIn: assignments.count)
        var found: [ChainOfThought?] = Array(repeating: nil, count: assignments.count)
        var reasons: [String?] = Array(repeating: nil, count: assignments.count)
        var open = Array(assignments.indices)
        for sample in 0..<run.settings.samples where !open.isEmpty {
            let (responses, calls) = await ledger.respond(
                to: open.map { run.request(assignments[$0], sample: sample) }, by: teacher)
            accounting.costs[TeacherCost.calls, default: 0] += calls.made
            accounting.costs[TeacherCost.saved, default: 0] += calls.saved
            for (index, response) in zip(open, responses) {
                switch run.use(response, for: assignments[index], of: teacher) {
                case .success(let response):
                    let cot = run.cot(assignments[index], response, origin, teacher.name)
                    if found[index] == nil || run.isOfUse(cot) { found[index] = cot }
                case .failure(let error):
                    guard let reason = error.dropReason else {
                        throw RecordFailure(record: error.questionID ?? assignments[index].id, error)
                    }
                    reasons[index] = reason
                }
            }
            open = open.filter { !(found[$0].map(run.isOfUse) ?? false) }
        }
        for index in assignments.indices where found[index] == nil { accounting.drop(reasons[index] ?? "no-answer") }
        let cots = found.compactMap(\.self)
        accounting.recordsOut = cots.count
        return TeachingRun.Answers(cots: cots, accounting: accounting)
    }
}
