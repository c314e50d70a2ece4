import StageGraph
import Teachers

/// Asks a teacher through the response ledger of this machine, so that no call is made twice: not after a crash, and
/// not because a stage, a filter or a shard limit changed.
public struct LedgerAccess {
    struct Calls {
        var made = 0
        var saved = 0
    }

    private let ledger: ResponseLedger
    private let stage: String
    private let session: TeacherSession

    /// - Throws: `LedgerError` when the file cannot be opened.
    init(_ context: any ActionContext, _ session: TeacherSession) throws {
        ledger = try session.ledger(in: context.localDirectory)
        stage = context.stageName
        self.session = session
    }

    /// Where the ledger of a store lies.
    public static func path(in localDirectory: String) -> String { "\(localDirectory)/ledger.sqlite" }

    /// Answers in the order of the requests. Recorded teachers are asked directly: their file is their ledger.
    func respond(
        to requests: [TeacherRequest], by teacher: any Teacher
    ) async -> ([Result<TeacherResponse, TeacherError>], Calls) {
        if teacher.answersByID { return (await teacher.respond(to: requests), Calls(made: requests.count, saved: 0)) }
        if !teacher.endpoint.isEmpty { await session.prepareForCalls() }
        let ledgered = LedgeredTeacher(teacher, ledger: ledger, stage: stage, retry: session.retry)
        let responses = await ledgered.respond(to: requests)
        return (responses, Calls(made: ledgered.tally.calls, saved: ledgered.tally.saved))
    }
}
