import Synchronization
import TeacherClients
import Teachers

/// What all teacher stages of a process share: ledgers, connections, budgets, and what the user allows to be spent.
///
/// None of it changes a result; stages themselves stay values.
public final class TeacherSession: Sendable {
    private static let shared = Mutex(TeacherSession())

    /// The session that stages use.
    public static var current: TeacherSession { shared.withLock { $0 } }

    /// Makes a session the current one, before a run.
    public static func use(_ session: TeacherSession) { shared.withLock { $0 = session } }

    public let spending: SpendingLimit
    let retry: AnswersToRetry
    let services = ServiceRegistry()
    private let ledgers = Mutex<[String: ResponseLedger]>([:])
    private let stops = Mutex<[String: StopSignal]>([:])
    private let beforeFirstCall: (@Sendable () async -> Void)?
    private let preparation = Mutex<Task<Void, Never>?>(nil)

    /// - Parameters:
    ///   - retryFinishReasons: known answers that ended so are asked for again.
    ///   - beforeFirstCall: runs once, before a teacher behind an endpoint is asked for the first time: it may fill the
    ///     ledger with answers that others have paid for.
    public init(
        spending: SpendingLimit = SpendingLimit(), retryFinishReasons: [String] = [],
        beforeFirstCall: (@Sendable () async -> Void)? = nil
    ) {
        self.spending = spending
        retry = AnswersToRetry(finishReasons: Set(retryFinishReasons))
        self.beforeFirstCall = beforeFirstCall
    }

    /// Whether a teacher behind an endpoint was or may have been asked.
    public var hasAsked: Bool { preparation.withLock { $0 != nil } }

    /// Waits for what has to happen before the first call.
    func prepareForCalls() async {
        let task = preparation.withLock { preparation in
            if let preparation { return preparation }
            let task = Task { [beforeFirstCall] in await beforeFirstCall?() ?? () }
            preparation = task
            return task
        }
        await task.value
    }

    /// The ledger in a store's local folder, opened once a process.
    ///
    /// - Throws: `LedgerError`.
    func ledger(in localDirectory: String) throws -> ResponseLedger {
        let path = LedgerAccess.path(in: localDirectory)
        return try ledgers.withLock { opened in
            if let known = opened[path] { return known }
            let ledger = try ResponseLedger(path: path)
            opened[path] = ledger
            return ledger
        }
    }

    func stop(of stage: String) -> StopSignal {
        stops.withLock { stops in
            if let known = stops[stage] { return known }
            let signal = StopSignal()
            stops[stage] = signal
            return signal
        }
    }
}
