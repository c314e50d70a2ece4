import CanonicalJSON
import Foundation
import SeededRandomness
import Testing

/// The real program on a real pipeline, killed with its workers at random moments, until it gets to the end. More rounds
/// with RETORT_KILL_ROUNDS.
@Suite(.serialized) struct KilledRunTests {
    private static let rounds = ProcessInfo.processInfo.environment["RETORT_KILL_ROUNDS"].flatMap { Int($0) } ?? 8
    private let file = "pipelines/your-data.yaml"

    /// An action by stage and shard.
    private struct Action: Hashable {
        let stage: String
        let shard: String

        static func all(_ event: String, in output: String) -> [Action] {
            output.split(separator: "\n").compactMap { line in
                guard let object = try? JSON.parse(String(line)), object["event"]?.string == event,
                    let stage = object["stage"]?.string, let shard = object["shard"]?.string
                else { return nil }
                return Action(stage: stage, shard: shard)
            }
        }
    }

    /// Starts a run and kills it with all its workers once it has written `lines` events, and a little later.
    ///
    /// - Returns: nil where it came to its end before.
    private func killedRun(_ workplace: Workplace, after lines: Int, microseconds: UInt32) throws -> Program.Outcome? {
        let id = UUID().uuidString
        let output = workplace.folder.appendingPathComponent(".output-\(id)")
        let errors = workplace.folder.appendingPathComponent(".errors-\(id)")
        let process = try Program.start(
            ["run", file, "--format", "json"], in: workplace.folder, output: output, errors: errors)
        while process.isRunning, try Data(contentsOf: output).count(where: { $0 == 0x0A }) < lines { usleep(500) }
        usleep(microseconds)
        for worker in Program.workers(of: process.processIdentifier) { kill(worker, SIGKILL) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let outcome = try Program.outcome(of: process, output: output, errors: errors)
        return outcome.status == -SIGKILL ? outcome : nil
    }

    @Test func everyKillLosesAtMostWhatWasUnfinished() throws {
        let reference = try Workplace()
        let undisturbed = try reference.retort("run", file, "--format", "json")
        #expect(undisturbed.status == 0, "\(undisturbed.errors)")
        let expected = try StoreFiles(reference)
        let events = undisturbed.output.count { $0 == "\n" }

        var generator = SplitMix(seed: 1917)
        var workplace = try Workplace()
        var finished: Set<Action> = []
        var kills = 0
        while kills < KilledRunTests.rounds {
            // Early and late moments are equally likely, whatever has been done already.
            let after = Int(generator.next() % UInt64(max(2, events - 3 * finished.count)))
            let pause = UInt32(generator.next() % 20_000)
            let moment: Comment = "seed 1917, kill \(kills), after \(after) events and \(pause) µs"
            guard let killed = try killedRun(workplace, after: after, microseconds: pause) else {
                // It was done before: begin again.
                try #expect(StoreFiles(workplace) == expected, moment)
                (workplace, finished) = (try Workplace(), [])
                kills += 1
                continue
            }
            kills += 1
            let started = Set(Action.all("action-started", in: killed.output))
            #expect(started.isDisjoint(with: finished), moment)
            finished.formUnion(Action.all("action-finished", in: killed.output))
            let audit = try workplace.retort("store", "verify")
            #expect(audit.status == 0, "\(moment): \(audit.output)\(audit.errors)")
            // What was finished stays so although nothing is too young to be collected.
            if kills % 2 == 0 {
                let collection = try workplace.retort("store", "gc", "--grace", "0", "--delete")
                #expect(collection.status == 0, "\(moment): \(collection.errors)")
            }
        }
        let last = try workplace.retort("run", file, "--format", "json")
        #expect(last.status == 0, "\(last.errors)")
        #expect(Set(Action.all("action-started", in: last.output)).isDisjoint(with: finished))
        try #expect(StoreFiles(workplace) == expected)
        try #expect(FileManager.default.contentsOfDirectory(atPath: workplace.store("local/tmp")).isEmpty)
        try #expect(FileManager.default.contentsOfDirectory(atPath: workplace.store("local/leases")).isEmpty)
    }
}

/// What a store holds that does not depend on when and how fast it was computed.
struct StoreFiles: Equatable {
    /// Compressed content by path.
    private(set) var blobs: [String: Data] = [:]
    /// Outputs and what they came from, by path: the rest says how long it took.
    private(set) var results: [String: [JSON]] = [:]

    init(_ workplace: Workplace, store: String = "artifacts") throws {
        let root = workplace.folder.appendingPathComponent(store)
        for path in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
            let file = root.appendingPathComponent(path)
            if path.hasPrefix("blobs/"), path.hasSuffix(".zst") { blobs[path] = try Data(contentsOf: file) }
            if path.hasPrefix("actions/"), path.hasSuffix(".json") {
                let document = try JSON.parse(Array(Data(contentsOf: file)))
                results[path] = ["outputs", "preimage", "references"].map { document[$0]! }
            }
        }
    }

    static func == (a: StoreFiles, b: StoreFiles) -> Bool {
        a.blobs == b.blobs && a.results.keys == b.results.keys
            && a.results.allSatisfy { key, value in
                value.map(\.canonicalBytes) == b.results[key]!.map(\.canonicalBytes)
            }
    }
}
