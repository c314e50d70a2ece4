import Dispatch
import Synchronization

/// Where requests run: a Dispatch queue of their own, so that a thread that waits for one never waits for the
/// cooperative pool it may itself be part of.
///
/// Those who wait for requests hold the threads of their quality of service, and Dispatch adds more of these only now and
/// then. Each quality has threads of its own, so requests have another than any who wait.
final class NetworkExecutor: TaskExecutor {
    static let shared = NetworkExecutor()

    private let queue = DispatchQueue(label: "retort.network", qos: .userInitiated, attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}

/// Carries out network work for callers that are not asynchronous.
public enum Network {
    /// Where network work runs: for tasks that others start.
    public static var executor: any TaskExecutor { NetworkExecutor.shared }

    /// Runs `body` and waits, blocking the calling thread. Never call it from inside `body`.
    public static func wait<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<Value, any Error>?>(nil)
        start {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return try outcome.withLock { $0! }.get()
    }

    /// Runs `body` on the network's own threads, for callers that are asynchronous.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value
    {
        let task = Task(executorPreference: NetworkExecutor.shared) { try await body() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Starts `body` on the network's own threads.
    @discardableResult
    public static func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: NetworkExecutor.shared) { await body() }
    }
}
