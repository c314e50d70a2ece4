import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Testing

@testable import Students

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A training job that is interrupted and started again ends as if nothing had happened.
@Suite(.serialized) struct ResumeTests {
    private struct Files: Equatable {
        let weights: [UInt8]
        let log: [UInt8]
    }

    /// A job of ten steps with everything that could go out of step: an adapter with dropout, warm-up, accumulation.
    private func job(_ scratch: ScratchDirectory, name: String, adapter: Bool) throws -> TrainingJob {
        let shard = "\(scratch.path)/data.safetensors"
        if !FileSystem.isFile(shard) {
            try AtomicFile.replace(shard, with: TokenShard.encode(Samples.counting(20)))
        }
        return TrainingJob(
            model: .random(Samples.configuration, seed: 1),
            adapter: adapter ? .new(LoRASettings(rank: 2, alpha: 4, dropout: 0.3)) : nil, mergesAdapter: adapter,
            data: [shard], objective: .sft,
            optimizer: OptimizerSettings(learningRate: 5e-3, schedule: .cosine(floor: 0), warmUpSteps: 2),
            batch: BatchSettings(samples: 2, accumulation: 2), epochs: 2, seed: 3,
            resume: ResumeSettings(directory: "\(scratch.path)/\(name)-state", steps: 1),
            output: "\(scratch.path)/\(name)", log: "\(scratch.path)/\(name).log")
    }

    private func files(_ job: TrainingJob) throws -> Files {
        Files(
            weights: try FileSystem.read("\(job.output)/model.safetensors"), log: try FileSystem.read(job.log!))
    }

    /// Runs a job until `steps` steps have been reported.
    private func run(_ job: TrainingJob, until steps: Int = .max) throws -> [WorkerEvent] {
        var events: [WorkerEvent] = []
        var taken = 0
        let runner = JobRunner(
            report: { event in
                events.append(event)
                if case .step = event { taken += 1 }
            }, clock: { 0 }, isCancelled: { taken >= steps })
        try runner.run(.train(job))
        return events
    }

    @Test(arguments: [true, false]) func anInterruptedJobEndsAsIfNothingHadHappened(adapter: Bool) throws {
        let scratch = ScratchDirectory()
        var whole = try job(scratch, name: "whole", adapter: adapter)
        whole.resume = nil
        _ = try run(whole)
        let expected = try files(whole)
        let parts = try job(scratch, name: "parts", adapter: adapter)
        for (index, steps) in [1, 2, 4].enumerated() {
            let done = [1, 3, 7][index]
            #expect(
                throws: StudentError(
                    "retort-student",
                    "was told to stop before the work was done; step \(done) of 10 is saved, and the job goes on from "
                        + "there when it is started again")
            ) { try run(parts, until: steps) }
            #expect(!FileSystem.isDirectory(parts.output))
        }
        let events = try run(parts)
        #expect(events.first == .progress(WorkProgress(done: 7, total: 10, unit: "steps")))
        #expect(events.count == 1 + 3 + 1)
        #expect(try files(parts) == expected)
    }

    @Test func aKilledWorkerGoesOnFromItsLastSave() throws {
        let scratch = ScratchDirectory()
        var whole = try job(scratch, name: "whole", adapter: true)
        whole.epochs = 40
        whole.resume = nil
        _ = try run(whole)
        var killed = whole
        killed.resume = ResumeSettings(directory: "\(scratch.path)/state", steps: 1)
        killed.output = "\(scratch.path)/killed"
        killed.log = "\(scratch.path)/killed.log"
        let path = try scratch.write("job.json", StudentJob.train(killed).fileBytes)
        for _ in 0..<2 {
            let worker = try WorkerProcessTests.Worker(arguments: [path])
            var steps = 0
            while steps < 5, case let line = worker.line(), !line.isEmpty {
                if case .step = try WorkerEvent(line: line) { steps += 1 }
            }
            kill(worker.process, SIGKILL)
            #expect(worker.finish().status == SIGKILL)
        }
        let (lines, status) = try WorkerProcessTests.Worker(arguments: [path]).finish()
        #expect(status == 0)
        guard case .progress(let start) = try WorkerEvent(line: #require(lines.first)) else {
            Issue.record("began anew")
            return
        }
        #expect(start.done >= 8)
        #expect(try files(killed) == files(whole))
    }

    @Test func anInterruptedStepIsTakenAgain() throws {
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 1)
        let before = try model.parameters.map { try $0.tensor.doubles() }
        let trainer = try Trainer(
            model: model, data: .tokens(Samples.counting(8)), job: Samples.job(.sft, samples: 2, accumulation: 4))
        var asked = 0
        trainer.shouldStop = {
            asked += 1
            return asked == 3
        }
        #expect(try trainer.advance() == nil)
        #expect(trainer.step == 0)
        for (parameter, values) in zip(model.parameters, before) {
            #expect(try parameter.tensor.doubles() == values)
            #expect(try parameter.tensor.gradient() == nil)
        }
        #expect(try trainer.advance()?.step == 1)
    }

    @Test func epochsAreWrittenAsTheyEnd() throws {
        let scratch = ScratchDirectory()
        var job = try job(scratch, name: "x", adapter: false)
        job.epochOutputs = "\(scratch.path)/epochs"
        #expect(throws: StudentError.self) { try run(job, until: 6) }
        #expect(try FileSystem.list("\(scratch.path)/epochs") == ["epoch-1"])
        let first = try FileSystem.read("\(scratch.path)/epochs/epoch-1/model.safetensors")
        _ = try run(job)
        #expect(try FileSystem.list("\(scratch.path)/epochs") == ["epoch-1", "epoch-2"])
        #expect(try FileSystem.read("\(scratch.path)/epochs/epoch-1/model.safetensors") == first)
        #expect(
            try FileSystem.read("\(scratch.path)/epochs/epoch-2/model.safetensors") == files(job).weights)
    }

    @Test func statesOfOtherRunsAreRefused() throws {
        let scratch = ScratchDirectory()
        let job = try job(scratch, name: "x", adapter: false)
        #expect(throws: StudentError.self) { try run(job, until: 2) }
        let path = "\(scratch.path)/x-state/training-state.safetensors"
        var other = job
        other.optimizer.learningRate = 1e-3
        other.seed = 9
        #expect(
            throws: StudentError(
                path,
                "is the state of another run: optimizer, seed changed since; remove it to begin again, or give another "
                    + "directory")
        ) { try run(other) }
        try AtomicFile.replace(path, with: Array(FileSystem.read(path).dropLast(9)))
        #expect(throws: SafetensorsError.self) { try run(job) }
        try AtomicFile.replace(path, with: SafetensorsArchive.encode([]))
        #expect(
            throws: StudentError(
                path,
                "is no training state that this program wrote; remove it to begin again, or give another directory")
        ) { try run(job) }
    }

    @Test func aFailedSaveLeavesTheLastOne() throws {
        let scratch = ScratchDirectory()
        let job = try job(scratch, name: "x", adapter: false)
        #expect(throws: StudentError.self) { try run(job, until: 2) }
        let path = "\(scratch.path)/x-state/training-state.safetensors"
        let before = try FileSystem.read(path)
        // A process whose files may not grow beyond some KiB fails as on a full disk, in the middle of a write.
        let file = try scratch.write("job.json", StudentJob.train(job).fileBytes)
        let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$1\""
        let worker = try WorkerProcessTests.Worker(
            program: "/bin/sh", arguments: ["-c", script, WorkerProcessTests.Worker.program, file])
        let last = try #require(worker.finish().lines.last)
        #expect(try WorkerEvent(line: last) == .failed("\(path): cannot be written: File too large"))
        #expect(try FileSystem.read(path) == before)
        #expect(try FileSystem.list("\(scratch.path)/x-state") == ["training-state.safetensors"])
        #expect(try run(job).first == .progress(WorkProgress(done: 2, total: 10, unit: "steps")))
    }
}
