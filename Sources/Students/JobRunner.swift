import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Tokenization

/// Does one job, reporting on the way.
struct JobRunner {
    /// Receives each event; may throw to stop the work.
    let report: (WorkerEvent) throws -> Void
    /// Seconds on a clock that only runs forward.
    let clock: () -> Double
    /// Whether the work should end as soon as it can.
    var isCancelled: () -> Bool = { false }

    func run(_ job: StudentJob) throws {
        switch job {
        case .train(let job): try train(job)
        case .generate(let job): try generate(job)
        case .score(let job): try score(job)
        case .inspect(let job): try inspect(job)
        case .convert(let job): try convert(job)
        }
    }

    func prepare(_ execution: ExecutionSettings) throws {
        try TensorLibrary.initialize(threads: execution.threads)
        guard execution.device == .cuda else { return }
        throw StudentError("device", "is cuda, which this build does not train on; use cpu")
    }

    /// Says how much is done, unless the work should end.
    func report(_ progress: WorkProgress) throws {
        if isCancelled() {
            throw StudentError("retort-student", "was told to stop before the work was done; nothing was written")
        }
        try report(.progress(progress))
    }

    func requireAbsent(_ directory: String) throws {
        guard FileSystem.isDirectory(directory) || FileSystem.isFile(directory) else { return }
        if FileSystem.isDirectory(directory), try FileSystem.list(directory).isEmpty { return }
        throw StudentError(directory, "exists already; a checkpoint is written to a new directory")
    }
}
