import CanonicalJSON
import StageGraph
import StudentJobs

/// What SFT, KRSL and DPO do alike: hand the worker the shards, choose an epoch where there is something to choose by,
/// and publish the checkpoint and the log.
struct TrainingRun {
    static let log = OutputPort("log", .trainingLog, "A row a step, and a row an epoch where one was selected.")

    let context: any ActionContext
    let settings: TrainingSettings

    /// The shards behind a role, as files for the worker.
    func files(_ role: String) throws -> [String] {
        try context.shards(role).enumerated().map { index, shard in
            let path = "\(context.scratchDirectory)/\(role)-\(index).safetensors"
            try FileBytes.write(context.read(shard), to: path)
            return path
        }
    }

    /// Trains the student behind the role `checkpoint` on the shards behind the role `pairs`.
    func trainOnPairs(_ objective: Objective) async throws -> Accounting {
        let checkpoint = try context.directory("checkpoint")
        let job = settings.job(
            model: .checkpoint(checkpoint), tokenizer: checkpoint, data: try files("pairs"), objective: objective,
            directory: context.scratchDirectory)
        return try await train(job, samples: context.recordCount("pairs"))
    }

    /// Trains, then writes the outputs `checkpoint` and `log`. A run that was interrupted goes on where it was.
    func train(_ job: TrainingJob, samples: Int) async throws -> Accounting {
        guard samples > 0 else {
            throw StudentProcessError(
                description:
                    "there is nothing to train on: every record was dropped before; see the dropped counts above")
        }
        var job = job
        let base = baseCheckpoint(job)
        let selects = context.roles(of: "selection").contains { context.recordCount($0) > 0 }
        job.resume = ResumeSettings(directory: context.resumeDirectory)
        // Beside the state to go on from: the epochs before an interruption are still there after it.
        let epochs = "\(context.resumeDirectory)/epochs"
        if selects { job.epochOutputs = epochs }
        _ = try await StudentProcess(context: context).run(.train(job), name: "training")
        var log = try steps(of: job)
        var chosen = job.output
        if selects {
            let results = try await settings.selection.evaluate(
                context, outputs: epochs, epochs: lastEpoch(log), base: base, execution: job.execution)
            let best = EpochSelection.best(results)!
            log += results.map { $0.record(isChosen: $0 == best) }
            chosen = "\(epochs)/epoch-\(best.number)"
        }
        if let base { chosen = try await merged(chosen, into: base) }
        try context.write(directory: chosen, to: "checkpoint")
        try context.write(log, to: "log")
        return Accounting(recordsIn: samples, recordsOut: samples)
    }

    /// The checkpoint that a trained adapter belongs to; nil where all weights are trained.
    private func baseCheckpoint(_ job: TrainingJob) -> String? {
        guard job.adapter != nil, case .checkpoint(let directory) = job.model else { return nil }
        return directory
    }

    /// A checkpoint with the adapter merged in, in float32, and the adapter itself in its folder `adapter`.
    private func merged(_ adapter: String, into base: String) async throws -> String {
        let output = "\(context.scratchDirectory)/merged"
        _ = try await StudentProcess(context: context).run(
            .convert(ConversionJob(checkpoint: base, adapter: adapter, output: output, type: .float32)), name: "merge")
        try FileBytes.makeDirectory("\(output)/adapter")
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            try FileBytes.write(FileBytes.read("\(adapter)/\(name)"), to: "\(output)/adapter/\(name)")
        }
        return output
    }

    private func steps(of job: TrainingJob) throws -> [JSONObject] {
        try SourceLines.parse(FileBytes.read(job.log!), name: "training log").map { _, step in
            var record = step
            let number = String(step["step"]?.integer ?? 0)
            record["id"] = .string("step-" + String(repeating: "0", count: max(0, 7 - number.count)) + number)
            return record
        }
    }

    /// The number of the epoch in which training ended, counted from 1.
    private func lastEpoch(_ log: [JSONObject]) -> Int {
        max(1, Int((log.last?["epoch"]?.double ?? 1).rounded(.up)))
    }
}
