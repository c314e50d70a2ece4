import CanonicalJSON
import ContentStore
import Foundation
import PipelineFile
import StageGraph
import Synchronization
import Testing

@testable import Scheduling

/// Random pipelines on real stores, edited at random: every run gives, byte for byte, what a run from scratch gives and
/// what the definitions say, and executes exactly the actions that no run before has executed.
///
/// `RETORT_GRAPHS=5000 swift test --filter RandomGraphTests` takes longer. A failure names the seed; with
/// `RETORT_GRAPH_SEED=52` each graph is the one of that seed, again and again.
@Suite struct RandomGraphTests {
    static let count = ProcessInfo.processInfo.environment["RETORT_GRAPHS"].flatMap { Int($0) } ?? 200
    private static let seed = ProcessInfo.processInfo.environment["RETORT_GRAPH_SEED"].flatMap { Int($0) }

    @Test(arguments: 0..<count) func everyRunIsExactAndExplainsItself(number: Int) async throws {
        var session = try GraphSession(seed: RandomGraphTests.seed ?? number)
        try await session.step("from scratch")
        for _ in 0..<4 { try await session.step(session.edit()) }
    }

    @Test(arguments: 0..<count / 2) func lostBlobsAreMadeAgainWhereSomethingReadsThem(number: Int) async throws {
        var session = try GraphSession(seed: RandomGraphTests.seed ?? 1_000_000 + number)
        try await session.step("from scratch")
        for _ in 0..<4 { try await session.step(session.edit() + " and lost \(session.loseBlobs()) blobs") }
    }
}

/// A user with a pipeline, its files and a store.
struct GraphSession {
    let seed: Int
    private var random: SeededGenerator
    private var graph: RandomGraph
    private let folder = TemporaryStore.inMemory()
    private let store = TemporaryStore.inMemory()
    private var known: Set<String> = []
    private var isLossy = false
    /// The graph of the last run under each pipeline name.
    private var last: [String: RandomGraph] = [:]
    /// Stages that have completed under each pipeline name and are still part of it.
    private var completed: [String: Set<String>] = [:]

    init(seed: Int) throws {
        self.seed = seed
        random = SeededGenerator(seed: UInt64(seed))
        graph = RandomGraph(&random)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    }

    mutating func edit() -> String { graph.edit(&random) }

    mutating func loseBlobs() -> Int {
        isLossy = true
        let blobs = URL(fileURLWithPath: "\(store.path)/blobs")
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: blobs.path)) ?? []
        let lost = files.filter { $0.hasSuffix(".zst") }.sorted().filter { _ in random.chance(25) }
        for file in lost { unlink(blobs.appendingPathComponent(file).path) }
        return lost.count
    }

    private struct Started: Hashable {
        let stage: String
        let prefix: ShardPrefix
    }

    /// Plans and runs the graph as it is now, and holds what happens against the definitions.
    mutating func step(_ what: String) async throws {
        let comment = Comment(rawValue: "seed \(seed): \(what)")
        let pipeline = try writeAndLoad()
        let options = Engine.Options(jobs: 1 + random.below(3), explains: true)
        let plan = try await Engine(store: LocalStore(at: store.path, access: .readOnly), options: options)
            .plan(pipeline)
        let events = Mutex<[Started: [Reason]]>([:])
        let report = try await Engine(store: store.open(), options: options).run(pipeline) { event in
            if case .actionStarted(let stage, let prefix, let reasons) = event {
                events.withLock { $0[Started(stage: stage, prefix: prefix)] = reasons }
            }
        }
        let started = events.withLock { $0 }
        try #require(
            report.status == .ok, "\(comment): \(report.failures), \(report.stages.map { "\($0.name) \($0.status)" })")

        let oracle = GraphOracle(graph)
        let new = oracle.keys.subtracting(known).count
        if isLossy {
            #expect(report.executed >= new && report.executed <= oracle.keys.count, comment)
        } else {
            #expect(report.executed == new, comment)
            check(plan, against: started, comment)
        }
        known.formUnion(oracle.keys)

        let other = TemporaryStore.inMemory()
        let scratch = try await Engine(store: other.open(), options: .init(jobs: 2)).run(pipeline)
        try #require(scratch.status == .ok, "\(comment): from scratch: \(scratch.failures)")
        #expect(scratch.executed == oracle.keys.count, comment)
        #expect(report.stages.map(\.outputs) == scratch.stages.map(\.outputs), comment)
        #expect(report.stages.map(\.accounting) == scratch.stages.map(\.accounting), comment)
        #expect(report.stages.map(\.actions) == scratch.stages.map(\.actions), comment)
        try checkContents(report, pipeline, oracle, comment)
        checkTruth(of: started, comment)

        last[graph.name] = graph
        completed[graph.name] = Set(pipeline.stages.map(\.name))
    }

    private mutating func writeAndLoad() throws -> Pipeline {
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(file)")
        }
        for (path, text) in graph.files {
            try text.write(toFile: "\(folder.path)/\(path)", atomically: false, encoding: .utf8)
        }
        let file = "\(folder.path)/pipeline.yaml"
        try graph.yaml(&random).write(toFile: file, atomically: false, encoding: .utf8)
        return try PipelineFile.load(path: file, library: .graphs).pipeline
    }

    /// What a stage that nothing before it holds up will execute is known beforehand, with the same reasons.
    private func check(_ plan: Plan, against started: [Started: [Reason]], _ comment: Comment) {
        for stage in plan.stages {
            let planned = Dictionary(
                uniqueKeysWithValues: stage.toRun.map { (Started(stage: stage.name, prefix: $0.prefix), $0.reasons) })
            let ran = started.filter { $0.key.stage == stage.name }
            for (action, reasons) in planned {
                #expect(!reasons.isEmpty, comment)
                // An action with the key of another that runs first is found when its turn comes.
                if let said = ran[action] { #expect(said == reasons, comment) }
            }
            if stage.decidedAfter.isEmpty {
                #expect(Set(ran.keys).isSubset(of: planned.keys), comment)
            } else {
                #expect(!plan.stages.filter { stage.decidedAfter.contains($0.name) }.isEmpty, comment)
            }
        }
        if plan.stages.allSatisfy({ $0.toRun.isEmpty && $0.decidedAfter.isEmpty }) { #expect(started.isEmpty, comment) }
    }

    /// Every reason given holds.
    private func checkTruth(of started: [Started: [Reason]], _ comment: Comment) {
        let before = last[graph.name]
        for (action, reasons) in started {
            #expect(!reasons.isEmpty, comment)
            for reason in reasons {
                switch reason {
                case .neverRan: #expect(completed[graph.name]?.contains(action.stage) != true, comment)
                case .changed(let field, let old, let new):
                    #expect(old != new, comment)
                    guard field.hasPrefix("parameter ") else { continue }
                    let name = String(field.dropFirst("parameter ".count))
                    #expect(before.flatMap { parameter(name, of: action.stage, in: $0) } == old?.integer, comment)
                    #expect(parameter(name, of: action.stage, in: graph) == new?.integer, comment)
                case .inputChanged(let change): #expect(change.old?.digest != change.new?.digest, comment)
                case .sourceChanged(let change):
                    let (old, new) = (
                        before.flatMap { text(of: action.stage, in: $0) }, text(of: action.stage, in: graph)
                    )
                    #expect(old != nil && old != new, comment)
                    #expect(isLossy || change.lines! > 0, comment)
                case .resultLost(let missing): #expect(isLossy && !missing.isEmpty, comment)
                case .resultRemoved, .lastResultRemoved, .resultUnusable: #expect(isLossy, comment)
                }
            }
        }
    }

    private func node(_ stage: String, in graph: RandomGraph) -> RandomGraph.Node? {
        graph.nodes.first { stage == $0.name || stage.hasPrefix("\($0.name)[") }
    }

    private func parameter(_ name: String, of stage: String, in graph: RandomGraph) -> Int? {
        let node = node(stage, in: graph)
        if node?.matrix != nil { return Int(stage.split(separator: "=")[1].dropLast()) }
        return node?.parameters.first { $0.name == name }?.value
    }

    private func text(of stage: String, in graph: RandomGraph) -> String? {
        node(stage, in: graph)?.file.flatMap { graph.files[$0.path] }
    }

    /// The store holds what the definitions say; after losses, what the run is for.
    private func checkContents(
        _ report: RunReport, _ pipeline: Pipeline, _ oracle: GraphOracle, _ comment: Comment
    ) throws {
        let store = try store.open()
        let wanted = pipeline.wantedOutputs
        for stage in report.stages {
            for (output, artifact) in stage.outputs where !isLossy || wanted[stage.name]!.contains(output) {
                #expect(try content(of: artifact, store) == oracle.contents["\(stage.name).\(output)"], comment)
            }
        }
    }

    private func content(of artifact: Artifact, _ store: LocalStore) throws -> GraphOracle.Content {
        guard artifact.tree.isEmpty else {
            let files = try artifact.tree.map {
                ($0.path, String(decoding: try store.read($0.digest, bytes: $0.bytes), as: UTF8.self))
            }
            return .files(Dictionary(uniqueKeysWithValues: files))
        }
        var shards: [String: [String: Int]] = [:]
        for shard in artifact.shards {
            for record in try CanonicalRecords.decode(store.read(shard)) {
                shards[shard.prefix.text, default: [:]][record["id"]!.string!] = record["value"]!.integer!
            }
        }
        return .shards(shards)
    }
}
