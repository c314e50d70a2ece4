import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors

extension JobRunner {
    func train(_ job: TrainingJob) throws {
        try prepare(job.execution)
        try requireAbsent(job.output)
        let start = try TrainingStart(job)
        do {
            try train(job, start)
        } catch let error as TensorError where error.code == .outOfMemory {
            throw job.outOfMemory(error.operation)
        }
    }

    private func train(_ job: TrainingJob, _ start: TrainingStart) throws {
        let model = try start.model()
        let trainer = try Trainer(model: model, data: start.data, job: job)
        trainer.shouldStop = isCancelled
        let output = TrainingOutput(
            job: job, checkpoint: start.checkpoint, configuration: start.configurationJSON)
        var log: [UInt8] = []
        var tokens = 0
        let state = try job.resume.map { resume in
            try FileSystem.makeDirectory(resume.directory)
            let identity = try job.identity(
                start.data, base: start.checkpoint?.fingerprint, trained: model.trained)
            return TrainingState(directory: resume.directory, identity: identity)
        }
        if let saved = try state?.restore(trainer) {
            (log, tokens) = saved
            try report(.progress(WorkProgress(done: trainer.step, total: trainer.plan.steps, unit: "steps")))
        }
        let begin = clock()
        var (last, lastSaved, savedStep) = (begin, begin, trainer.step)
        var saving = 0.0
        func save() throws {
            guard let state, trainer.step > savedStep else { return }
            let start = clock()
            try state.save(trainer, log: log, tokens: tokens)
            (lastSaved, savedStep) = (clock(), trainer.step)
            saving = lastSaved - start
        }
        while !trainer.isFinished {
            guard !isCancelled(), var step = try trainer.advance() else {
                try save()
                throw stopped(trainer, isSaved: state != nil)
            }
            log += step.json.canonicalBytes + [UInt8(ascii: "\n")]
            let now = clock()
            step.tokensPerSecond = Double(step.tokens) / max(now - last, 1e-9)
            last = now
            tokens += step.tokens
            try output.writeEpoch(model, step: trainer.step, of: trainer.plan)
            // Before anything is said: nobody may be there to hear it, and that ends the process.
            if isCancelled() { try save() }
            try report(.step(step))
            if let resume = job.resume, !trainer.isFinished,
                // A twentieth of the time at most goes into saving.
                now - lastSaved >= max(resume.seconds, 20 * saving)
                    || resume.steps.map({ trainer.step % $0 == 0 }) ?? false
            {
                try save()
            }
        }
        let seconds = clock() - begin
        try output.write(model, to: job.output)
        if let path = job.log { try AtomicFile.replace(path, with: log) }
        try report(
            .done(WorkSummary(output: job.output, steps: trainer.step, tokens: tokens, seconds: seconds)))
    }

    private func stopped(_ trainer: Trainer, isSaved: Bool) -> StudentError {
        let outcome =
            isSaved
            ? "step \(trainer.step) of \(trainer.plan.steps) is saved, and the job goes on from there when it is "
                + "started again" : "nothing was written"
        return StudentError("retort-student", "was told to stop before the work was done; \(outcome)")
    }
}

extension TrainingJob {
    /// What to lower, with the job's own values.
    ///
    /// - Parameter operation: what memory was wanted for.
    func outOfMemory(_ operation: String) -> StudentError {
        StudentError(
            "training",
            "out of memory (\(operation)). Lower batch.samples (\(batch.samples) now) and raise batch.accumulation "
                + "(\(batch.accumulation)) by the same factor, set batch.max_tokens below "
                + "\(batch.maxTokens ?? Trainer.defaultMaxTokens), set recomputes_activations, or train an adapter")
    }
}

/// Where a training job starts: everything it reads, checked before anything is computed.
struct TrainingStart {
    let job: TrainingJob
    let checkpoint: Checkpoint?
    let configuration: DecoderConfiguration
    let configurationJSON: JSONObject
    let data: TrainingSet

    /// - Throws: ``StudentError`` or `SafetensorsError` naming the file, the option or the sample.
    init(_ job: TrainingJob) throws {
        self.job = job
        switch job.model {
        case .random(let model, _):
            (checkpoint, configuration) = (nil, DecoderConfiguration(model))
            configurationJSON = model.json.object!
            if job.adapter != nil, !job.mergesAdapter {
                throw StudentError(
                    "adapter", "would be lost without its random model; merge it (merges_adapter) or train no adapter")
            }
        case .checkpoint(let directory):
            let opened = try Checkpoint(directory: directory)
            (checkpoint, configuration) = (opened, opened.configuration)
            configurationJSON = opened.configurationJSON
        }
        if let directory = job.tokenizer ?? checkpoint?.directory {
            try CheckpointTokenizer(directory: directory).check(configuration)
        }
        data = try TrainingSet(
            job.data, objective: job.objective, vocabulary: configuration.vocabSize,
            positions: configuration.maxPositions)
        try MemoryNeed(training: job, of: configuration).check()
    }

    /// The model with the adapter that is trained, if any.
    func model() throws -> Decoder {
        let activation: Tensor.Element = job.execution.precision == .bfloat16 ? .bfloat16 : .float32
        let adapter: Adapter? =
            switch job.adapter {
            case nil: nil
            case .new(let settings)?: try .new(settings, for: configuration, seed: job.seed)
            case .directory(let path)?:
                try Adapter(directory: path, configuration: configuration, base: checkpoint?.fingerprint)
            }
        switch job.model {
        case .random(_, let seed):
            return try .random(
                configuration, seed: seed, adapter: adapter, positions: data.longest, activation: activation)
        case .checkpoint:
            // What is not trained is rounded once instead of in every pass.
            return try checkpoint!.model(
                positions: data.longest, activation: activation,
                matrices: adapter != nil && !job.mergesAdapter ? activation : nil, adapter: adapter)
        }
    }
}
