import CanonicalJSON
import Foundation
import Testing

/// Several real processes on one store at once.
@Suite(.serialized) struct SharedStoreTests {
    /// Questions in shards of one record, worded twice: many small actions.
    private func pipeline(_ name: String, questions: Int, words: String) -> String {
        """
        retort: 1
        name: \(name)
        stages:
          questions:
            uses: synthetic-tasks
            with: { count: \(questions), shard-records: 1 }
          worded:
            uses: question-wording
            inputs: { questions: questions }
            with: { after: " \(words)" }
          again:
            uses: question-wording
            inputs: { questions: worded }
            with: { before: "Now: " }
        """
    }

    /// A run in the background.
    private final class Running {
        let process: Process
        private let output: URL
        private let errors: URL

        init(_ arguments: [String], _ workplace: Workplace) throws {
            let id = UUID().uuidString
            output = workplace.folder.appendingPathComponent(".output-\(id)")
            errors = workplace.folder.appendingPathComponent(".errors-\(id)")
            process = try Program.start(arguments, in: workplace.folder, output: output, errors: errors)
        }

        func outcome() throws -> Program.Outcome {
            process.waitUntilExit()
            return try Program.outcome(of: process, output: output, errors: errors)
        }

        /// Waits until the run has written `lines` events.
        func wait(forEvents lines: Int) throws {
            while process.isRunning, try Data(contentsOf: output).count(where: { $0 == 0x0A }) < lines { usleep(500) }
        }
    }

    private func sum(_ field: String, _ outcomes: [Program.Outcome]) throws -> Int {
        try outcomes.reduce(0) { total, outcome in
            try outcome.summary["stages"]!.array!.reduce(total) { $0 + Int($1[field]!.integer!) }
        }
    }

    @Test func runsAtOnceShareTheWorkAndNothingIsDoneTwice() throws {
        let workplace = try Workplace()
        try workplace.write(pipeline("shared", questions: 60, words: "Think."), to: "shared.yaml")
        let runs = try (0..<3).map { _ in try Running(["run", "shared.yaml", "--format", "json"], workplace) }
        let outcomes = try runs.map { try $0.outcome() }
        for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
        #expect(try sum("actions", outcomes) == 3 * 121)
        #expect(try sum("executed", outcomes) == 121)
        #expect(try workplace.retort("store", "verify").status == 0)
    }

    @Test func collectionsBesideRunsNeverTakeWhatTheyNeed() throws {
        let workplace = try Workplace()
        // Nobody's last run: garbage from the start.
        for number in 0..<3 {
            try workplace.write(
                pipeline("garbage", questions: 20 + number, words: "Old \(number)."), to: "garbage.yaml")
            #expect(try workplace.retort("run", "garbage.yaml").status == 0)
        }
        let files = (0..<3).map { "run-\($0).yaml" }
        for (number, file) in files.enumerated() {
            try workplace.write(pipeline("run-\(number)", questions: 40, words: "Think \(number)."), to: file)
        }
        let runs = try (files + files).map { try Running(["run", $0, "--format", "json"], workplace) }
        var removed = 0
        while runs.contains(where: \.process.isRunning) {
            let outcome = try workplace.retort("store", "gc", "--grace", "0", "--delete")
            #expect(outcome.status == 0, "\(outcome.errors)")
            let amount = outcome.output.split(separator: "\n").first { $0.hasPrefix("removed ") }
            removed += amount.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        }
        for outcome in try runs.map({ try $0.outcome() }) {
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(!outcome.errors.contains("made again"), "nothing was lost: \(outcome.errors)")
        }
        #expect(removed > 0)
        #expect(try workplace.retort("store", "verify").status == 0)
        for file in files {
            let again = try workplace.retort("run", file, "--format", "json")
            #expect(try sum("executed", [again]) == 0, "the last run of each pipeline is still there")
        }
    }
}
