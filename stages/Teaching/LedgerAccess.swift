import StageGraph
import Synchronization
import Teachers

/// Asks a teacher through the response ledger of this machine, so that no call is made twice: not after a crash, and
/// not because a stage, a filter or a shard limit changed.
struct LedgerAccess {
    struct Calls {
        let made: Int
        let saved: Int
    }

    /// One ledger a file in this process, shared by all actions.
    private static let opened = Mutex<[String: ResponseLedger]>([:])

    private let ledger: ResponseLedger

    /// - Throws: `LedgerError` when the file cannot be opened.
    init(_ context: any ActionContext) throws {
        let path = "\(context.localDirectory)/ledger.sqlite"
        ledger = try LedgerAccess.opened.withLock { opened in
            if let known = opened[path] { return known }
            let ledger = try ResponseLedger(path: path)
            opened[path] = ledger
            return ledger
        }
    }

    /// Answers in the order of the requests. Recorded teachers are asked directly: their file is their ledger.
    func respond(
        to requests: [TeacherRequest], by teacher: any Teacher
    ) async -> ([Result<TeacherResponse, TeacherError>], Calls) {
        if teacher.answersByID { return (await teacher.respond(to: requests), Calls(made: requests.count, saved: 0)) }
        let ledgered = LedgeredTeacher(teacher, ledger: ledger)
        let responses = await ledgered.respond(to: requests)
        return (responses, Calls(made: ledgered.tally.calls, saved: ledgered.tally.saved))
    }
}
