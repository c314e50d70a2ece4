import CanonicalJSON
import StageGraph
import StudentJobs

/// What SFT and KRSL do alike: hand the worker the shards, and publish the checkpoint and the log.
struct TrainingRun {
    let context: any ActionContext

    /// The shards behind a role, as files for the worker.
    func files(_ role: String) throws -> [String] {
        try context.shards(role).enumerated().map { index, shard in
            let path = "\(context.scratchDirectory)/\(role)-\(index).safetensors"
            try FileBytes.write(context.read(shard), to: path)
            return path
        }
    }

    /// Trains, then writes the outputs `checkpoint` and `log`. A run that was interrupted goes on where it was.
    func train(_ job: TrainingJob, samples: Int) async throws -> Accounting {
        guard samples > 0 else {
            throw StudentProcessError(
                description:
                    "there is nothing to train on: every record was dropped before; see the dropped counts above")
        }
        var job = job
        job.resume = ResumeSettings(directory: context.resumeDirectory)
        _ = try await StudentProcess(context: context).run(.train(job))
        try context.write(directory: job.output, to: "checkpoint")
        let log = try SourceLines.parse(FileBytes.read(job.log!), name: "training log").map { _, step in
            var record = step
            let number = String(step["step"]?.integer ?? 0)
            record["id"] = .string("step-" + String(repeating: "0", count: max(0, 7 - number.count)) + number)
            return record
        }
        try context.write(log, to: "log")
        return Accounting(recordsIn: samples, recordsOut: samples)
    }
}
