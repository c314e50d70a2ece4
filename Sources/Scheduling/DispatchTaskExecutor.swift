import Dispatch

/// Runs the code of asynchronous actions on a Dispatch queue of their own, so that a stage that computes for minutes
/// never holds a thread of Swift's cooperative pool.
final class DispatchTaskExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "retort.actions", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
