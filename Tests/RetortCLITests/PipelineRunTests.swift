import CanonicalJSON
import Foundation
import Testing

/// The shipped your-data pipeline, run by the real programs on a copy of its files.
@Suite(.serialized) struct PipelineRunTests {
    private let file = "pipelines/your-data.yaml"
    private let questions = "pipelines/data/questions.jsonl"

    private func shards(_ reference: String, in workplace: Workplace) throws -> Set<String> {
        let manifest = try JSON.parse(workplace.retort("show", file, reference, "--manifest").output)
        return Set(manifest["shards"]!.array!.map { $0["digest"]!.string! })
    }

    @Test func aRerunExecutesNothingAndAnEditOnlyWhatDependsOnIt() throws {
        let workplace = try Workplace()
        let first = try workplace.retort("run", file, "--format", "json")
        #expect(first.status == 0, "\(first.errors)")
        for stage in try first.summary["stages"]!.array! {
            let dropped = stage["dropped"]!.object!.members.reduce(0) { $0 + $1.value.integer! }
            #expect(stage["records_in"]!.integer! == stage["records_out"]!.integer! + dropped, "\(stage)")
            #expect(stage["executed"] == stage["actions"])
        }
        let second = try workplace.retort("run", file, "--format", "json")
        #expect(try second.summary["stages"]!.array!.allSatisfy { $0["executed"] == 0 })
        let before = try shards("cots.correct", in: workplace).union(shards("cots.wrong", in: workplace))

        var lines = try workplace.read(questions).split(separator: "\n").map(String.init)
        let index = lines.firstIndex { $0.contains("not True") || $0.contains("True and") }!
        lines[index] = lines[index].replacingOccurrences(of: "True", with: "False")
        try workplace.write(lines.joined(separator: "\n") + "\n", to: questions)
        let third = try workplace.retort("run", file, "--format", "json")
        #expect(third.status == 0)
        for name in ["cots", "merged", "tokens"] { #expect(try third.stage(name)["executed"] == 1, "\(name)") }
        for name in ["duals", "pairs"] { #expect(try third.stage(name)["executed"]!.integer! <= 1, "\(name)") }
        for name in ["tokenizer-questions", "tokenizer-cots", "tokenizer"] {
            #expect(try third.stage(name)["executed"] == 0, "\(name)")
        }
        let after = try shards("cots.correct", in: workplace).union(shards("cots.wrong", in: workplace))
        #expect(before.subtracting(after).count <= 2)
        #expect(after.subtracting(before).count <= 2)
        #expect(after.intersection(before).count >= before.count - 2)
    }

    @Test func twoStoresHoldTheSameBytes() throws {
        let (one, other) = (try Workplace(), try Workplace())
        for (workplace, jobs) in [(one, "1"), (other, "2")] {
            #expect(try workplace.retort("run", file, "--jobs", jobs).status == 0)
        }
        for reference in ["duals", "tokenizer", "pairs.pairs", "student.checkpoint", "edit.checkpoint", "edit.log"] {
            let manifests = try [one, other].map { try $0.retort("show", file, reference, "--manifest").output }
            #expect(manifests[0] == manifests[1], "\(reference)")
            #expect(!manifests[0].isEmpty)
        }
    }

    /// A run of the pipeline, with so many epochs that it would go on for long, that has just reported its first training
    /// step: everything before it is finished.
    private struct RunInTraining {
        let process: Process
        private let output: URL
        private let errors: URL

        init(_ workplace: Workplace, file: String, epochs: Int = 2000) throws {
            output = workplace.folder.appendingPathComponent("running-output")
            errors = workplace.folder.appendingPathComponent("running-errors")
            process = try Program.start(
                ["run", file, "--set", "epochs=\(epochs)", "--format", "json"], in: workplace.folder, output: output,
                errors: errors)
            while process.isRunning, try !String(contentsOf: output, encoding: .utf8).contains("\"loss\"") {
                usleep(2000)
            }
        }

        func outcome() throws -> Program.Outcome {
            process.waitUntilExit()
            return try Program.outcome(of: process, output: output, errors: errors)
        }
    }

    @Test func aRunKilledInTheMiddleGoesOnFromWhatWasFinished() throws {
        let workplace = try Workplace()
        let run = try RunInTraining(workplace, file: file)
        kill(run.process.processIdentifier, SIGKILL)
        #expect(try run.outcome().status == -SIGKILL)
        let again = try workplace.retort("run", file, "--format", "json")
        #expect(again.status == 0, "\(again.errors)")
        for name in ["questions", "cots", "merged", "tokenizer", "tokens"] {
            #expect(try again.stage(name)["executed"] == 0, "\(name)")
        }
        #expect(try again.stage("student")["executed"] == 1)
    }

    @Test func anInterruptedRunStopsCleanlyWithStatus130() throws {
        let workplace = try Workplace()
        let run = try RunInTraining(workplace, file: file)
        kill(run.process.processIdentifier, SIGINT)
        let outcome = try run.outcome()
        #expect(outcome.status == 130)
        #expect(try outcome.summary["status"] == "interrupted")
        #expect(Program.workers(of: run.process.processIdentifier).isEmpty)
        #expect(try workplace.retort("run", file).status == 0)
    }

    @Test func aWorkerThatDiesFailsItsStageWithOneMessage() throws {
        let workplace = try Workplace()
        let run = try RunInTraining(workplace, file: file)
        let workers = Program.workers(of: run.process.processIdentifier)
        #expect(!workers.isEmpty)
        for worker in workers { kill(worker, SIGKILL) }
        let outcome = try run.outcome()
        #expect(outcome.status == 1)
        let messages = outcome.output.split(separator: "\n").filter { $0.contains("\"event\":\"error\"") }
        #expect(messages.count == 1)
        #expect(messages.first?.contains("ended early (killed by signal 9") == true)
        let again = try workplace.retort("run", file, "--format", "json")
        #expect(again.status == 0)
        #expect(try again.stage("tokens")["executed"] == 0)
    }

    @Test func interruptedTrainingGoesOnInTheNextRunOfThePipeline() throws {
        let (interrupted, whole) = (try Workplace(), try Workplace())
        let options = ["--set", "epochs=60"]
        let run = try RunInTraining(interrupted, file: file, epochs: 60)
        kill(run.process.processIdentifier, SIGINT)
        #expect(try run.outcome().status == 130)
        let resumed = interrupted.folder.appendingPathComponent("artifacts/local/resume")
        #expect(try FileManager.default.contentsOfDirectory(atPath: resumed.path).count == 1)
        let again = try interrupted.retort(["run", file, "--format", "json"] + options)
        #expect(again.status == 0, "\(again.errors)")
        // The first thing the worker says is how far it had come.
        #expect(again.output.contains("\"unit\":\"steps\""), "the training began anew")
        #expect(try FileManager.default.contentsOfDirectory(atPath: resumed.path).isEmpty)
        #expect(try whole.retort(["run", file] + options).status == 0)
        for reference in ["student.checkpoint", "student.log"] {
            let manifests = try [interrupted, whole].map {
                try $0.retort(["show", file, reference, "--manifest"] + options).output
            }
            #expect(manifests[0] == manifests[1] && !manifests[0].isEmpty, "\(reference)")
        }
    }
}
