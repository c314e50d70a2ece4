import CanonicalJSON
import Foundation
import Testing

/// Whole programs at once on one store that is empty before. More rounds with RETORT_RACE_ROUNDS.
@Suite(.serialized) struct ConcurrentRunTests {
    private static let rounds = ProcessInfo.processInfo.environment["RETORT_RACE_ROUNDS"].flatMap { Int($0) } ?? 1
    private let actions = 121

    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.writeSmallPipeline(questions: 120, shard: 1)
        return workplace
    }

    private final class Run {
        private let process: Process
        private let output: URL
        private let errors: URL

        init(_ workplace: Workplace, _ arguments: String...) throws {
            let id = UUID().uuidString
            output = workplace.folder.appendingPathComponent(".output-\(id)")
            errors = workplace.folder.appendingPathComponent(".errors-\(id)")
            process = try Program.start(arguments, in: workplace.folder, output: output, errors: errors)
        }

        var isRunning: Bool { process.isRunning }

        func outcome() throws -> Program.Outcome {
            process.waitUntilExit()
            return try Program.outcome(of: process, output: output, errors: errors)
        }
    }

    private func executed(_ outcome: Program.Outcome) throws -> Int {
        try outcome.summary["stages"]!.array!.reduce(0) { $0 + Int($1["executed"]!.integer!) }
    }

    @Test(arguments: 0..<rounds) func eachActionRunsOnceInSum(round: Int) throws {
        let workplace = try workplace()
        let runs = try (0..<3).map { _ in try Run(workplace, "run", "small.yaml", "--format", "json") }
        let outcomes = try runs.map { try $0.outcome() }
        for outcome in outcomes { #expect(outcome.status == 0, "round \(round): \(outcome.errors)") }
        #expect(try outcomes.reduce(0) { try $0 + executed($1) } == actions, "round \(round)")
        let alone = try self.workplace()
        #expect(try alone.retort("run", "small.yaml").status == 0)
        #expect(try StoreFiles(workplace) == StoreFiles(alone), "round \(round)")
        #expect(try workplace.retort("store", "verify").status == 0, "round \(round)")
    }

    /// Collections that spare nothing for its youth, one after another, beside two runs.
    @Test(arguments: 0..<rounds) func aCollectionBesideRunsTakesNothingThatTheyNeed(round: Int) throws {
        let workplace = try workplace()
        let runs = try (0..<2).map { _ in try Run(workplace, "run", "small.yaml", "--format", "json") }
        var collections = 0
        repeat {
            let outcome = try workplace.retort("store", "gc", "--grace", "0", "--delete")
            // The store may not be there yet.
            #expect(outcome.status == 0 || outcome.errors.contains("there is no store"), "\(outcome.errors)")
            collections += 1
        } while runs.contains(where: \.isRunning)
        let outcomes = try runs.map { try $0.outcome() }
        for outcome in outcomes { #expect(outcome.status == 0, "round \(round): \(outcome.errors)") }
        #expect(
            try outcomes.reduce(0) { try $0 + executed($1) } == actions, "round \(round), \(collections) collections")
        #expect(try workplace.retort("store", "verify").status == 0, "round \(round)")
        let again = try workplace.retort("run", "small.yaml", "--format", "json")
        #expect(try executed(again) == 0, "round \(round): \(again.output)")
        #expect(try workplace.retort("show", "small.yaml", "worded").output.count { $0 == "\n" } == 120)
    }
}
