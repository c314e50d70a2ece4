import CanonicalJSON
import Foundation
import Testing

/// SIGINT and SIGTERM at awkward moments.
@Suite(.serialized) struct InterruptTests {
    private let file = "pipelines/your-data.yaml"

    /// A run that trains for so long that it never comes to its end by itself.
    private final class LongRun {
        let process: Process
        private let output: URL
        private let errors: URL

        init(_ workplace: Workplace) throws {
            let id = UUID().uuidString
            output = workplace.folder.appendingPathComponent(".output-\(id)")
            errors = workplace.folder.appendingPathComponent(".errors-\(id)")
            process = try Program.start(
                [
                    "run", "pipelines/your-data.yaml", "--set", "epochs=100000", "--target", "student", "--format",
                    "json",
                ],
                in: workplace.folder, output: output, errors: errors)
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

        func wait(for text: String) throws {
            while process.isRunning, try !String(contentsOf: output, encoding: .utf8).contains(text) { usleep(2000) }
        }

        func outcome() throws -> Program.Outcome {
            process.waitUntilExit()
            return try Program.outcome(of: process, output: output, errors: errors)
        }
    }

    @Test func aWorkerThatDoesNotReactIsKilledAndTheRunEndsWithStatus130() throws {
        let workplace = try Workplace()
        let run = try LongRun(workplace)
        try run.wait(for: "\"loss\"")
        let workers = Program.workers(of: run.process.processIdentifier)
        #expect(workers.count == 1)
        // A stopped process reacts to nothing but SIGKILL.
        for worker in workers { kill(worker, SIGSTOP) }
        kill(run.process.processIdentifier, SIGTERM)
        let outcome = try run.outcome()
        #expect(outcome.status == 130)
        #expect(try outcome.summary["status"] == "interrupted")
        for worker in workers { #expect(Program.isGone(worker), "worker \(worker) is still there") }
        let again = try workplace.retort("run", file, "--target", "tokens", "--format", "json")
        #expect(try again.summary["stages"]!.array!.allSatisfy { $0["executed"] == 0 }, "what was finished stays so")
    }

    @Test func aRunThatWaitsForAnotherIsInterruptedAtOnceAndTheOtherGoesOn() throws {
        let workplace = try Workplace()
        let first = try LongRun(workplace)
        try first.wait(for: "\"loss\"")
        let second = try LongRun(workplace)
        // Everything before the training is finished already: all that is left is to wait for the first.
        try second.wait(for: "\"stage\":\"tokens\"")
        kill(second.process.processIdentifier, SIGINT)
        let outcome = try second.outcome()
        #expect(outcome.status == 130)
        #expect(try outcome.stage("student")["executed"] == 0)
        #expect(!outcome.output.contains("\"loss\""))
        #expect(first.process.isRunning)
        kill(first.process.processIdentifier, SIGINT)
        #expect(try first.outcome().status == 130)
    }

    @Test func theSecondSignalEndsTheProgramAtOnce() throws {
        let workplace = try Workplace()
        let run = try LongRun(workplace)
        try run.wait(for: "\"loss\"")
        let workers = Program.workers(of: run.process.processIdentifier)
        for worker in workers { kill(worker, SIGSTOP) }
        kill(run.process.processIdentifier, SIGINT)
        kill(run.process.processIdentifier, SIGTERM)
        #expect(try run.outcome().status == 130)
        // The worker notices that its parent is gone as soon as it can notice anything.
        for worker in workers { kill(worker, SIGCONT) }
        for worker in workers { while !Program.isGone(worker) { usleep(2000) } }
        #expect(try workplace.retort("store", "verify").status == 0)
    }
}
