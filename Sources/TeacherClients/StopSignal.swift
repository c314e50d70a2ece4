import Synchronization
import Teachers

/// Tells all who ask for one stage that it has failed, so that nothing more is sent and paid for.
public final class StopSignal: Sendable {
    private let raised = Mutex<TeacherError?>(nil)

    public init() {}

    /// The first failure; nil while there is none.
    public var error: TeacherError? { raised.withLock { $0 } }

    public func raise(_ error: TeacherError) { raised.withLock { $0 = $0 ?? error } }
}
