import Dispatch

/// Runs the code of asynchronous actions on a Dispatch queue of their own, so that a stage that computes for minutes
/// never holds a thread of Swift's cooperative pool.
///
/// That pool, lookups and everything else that has to go on meanwhile share Dispatch's threads of the default quality of
/// service, of which there are no more than cores while all of them compute. Each quality has threads of its own, so
/// actions have another.
final class DispatchTaskExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "retort.actions", qos: .utility, attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
