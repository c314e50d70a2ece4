import CanonicalJSON
import ContentStore
import StageGraph
import Testing

@testable import Scheduling

/// The state machine through every interleaving of small graphs. In each state: nothing has started before its inputs
/// were there, nothing runs twice, no more is in use than there is and nothing is idle that could be used, the longest
/// chain goes first, and every way ends.
@Suite struct InterleavingTests {
    typealias End = Explorer.End

    private func source(_ name: String = "s", value: Int64 = 1) -> Toy {
        Toy(name, "numbers", [], ["values": ["n": .integer(value)]])
    }

    private func map(_ name: String, _ input: String, others: String? = nil, by: Int64 = 1) -> Toy {
        Toy(name, "shift", [("numbers", [input])] + (others.map { [("others", [$0])] } ?? []), ["by": .integer(by)])
    }

    private func total(_ name: String, _ inputs: String...) -> Toy { Toy(name, "sum", [("numbers", inputs)], [:]) }

    private func outputs(_ prefixes: [String]) -> ScriptedOutputs { ScriptedOutputs(prefixes: { _ in prefixes }) }

    /// Explores all ways, and holds the number of states against the one known: no fewer may have been seen.
    private func explore(
        _ stages: [Toy], _ world: World = World(), shards: [String] = ["0", "1"],
        limits: Resources = Resources(cpuSlots: 2), keepGoing: Bool = false, hashesAtOnce: Bool = true,
        atLeast states: Int
    ) throws -> Set<End> {
        var explorer = Explorer()
        explorer.explore(
            Situation(
                try .toys(stages), world, limits: limits, keepGoing: keepGoing, outputs: outputs(shards),
                hashesAtOnce: hashesAtOnce))
        #expect(explorer.violation == nil)
        #expect(explorer.states >= states, "only \(explorer.states) states, \(explorer.steps) steps")
        return explorer.ends
    }

    /// The only end all ways come to.
    private func onlyEnd(_ ends: Set<End>) throws -> End {
        try #require(ends.count == 1, "\(ends.count) different ends")
        return try #require(ends.first)
    }

    /// What a run leaves in the store, one action after the other.
    private func finished(_ stages: [Toy], shards: [String] = ["0", "1"]) throws -> Situation {
        var situation = Situation(
            try .toys(stages), World(), limits: Resources(cpuSlots: 1), outputs: outputs(shards))
        while !situation.gates.isEmpty { situation.open(0, .answer) }
        try #require(situation.machine.isComplete)
        return situation
    }

    /// The store after a run, seen by the next one.
    private func store(after situation: Situation) -> World {
        var world = World()
        (world.results, world.memos, world.blobs) = (
            situation.world.results, situation.world.memos, situation.world.blobs
        )
        return world
    }

    private func checkComplete(_ ends: Set<End>, actions: [String: Int]) throws {
        let end = try onlyEnd(ends)
        #expect(end.isComplete)
        #expect(end.executions == actions)
    }

    // MARK: Shapes

    @Test func aChainOfMaps() throws {
        let stages = [source(), map("a", "s"), map("b", "a.positive"), total("t", "b.positive")]
        let shards = ["0", "10", "11"]
        let ends = try explore(stages, shards: shards, limits: Resources(cpuSlots: 3), atLeast: 420)
        let actions = ["a", "b"].flatMap { stage in shards.map { "\(stage) \($0)" } } + ["s *", "t *"]
        try checkComplete(ends, actions: Dictionary(uniqueKeysWithValues: actions.map { ($0, 1) }))
        let alone = try finished(stages, shards: shards)
        #expect(try onlyEnd(ends).outputs == alone.machine.stages.map { $0.outputs.mapValues(\.digest) })
    }

    @Test func aDiamond() throws {
        let stages = [
            source(), map("l", "s"), map("r", "s", by: 2), map("j", "l.positive", others: "r.negative"),
        ]
        let ends = try explore(stages, atLeast: 550)
        let both = ["l", "r", "j"].flatMap { ["\($0) 0", "\($0) 1"] }
        try checkComplete(ends, actions: Dictionary(uniqueKeysWithValues: (both + ["s *"]).map { ($0, 1) }))
    }

    @Test(arguments: [1, 2, 3]) func aMapOverThreeShards(slots: Int) throws {
        let ends = try explore(
            [source(), map("a", "s"), total("t", "a.negative")], shards: ["0", "10", "11"],
            limits: Resources(cpuSlots: slots), atLeast: 70)
        try checkComplete(ends, actions: ["s *": 1, "a 0": 1, "a 10": 1, "a 11": 1, "t *": 1])
    }

    @Test func theVariantsOfAMatrix() throws {
        let stages = [
            source(), map("v[by=1]", "s"), map("v[by=2]", "s", by: 2),
            total("t", "v[by=1].positive", "v[by=2].positive"),
        ]
        let ends = try explore(stages, atLeast: 360)
        let variants = ["v[by=1] 0", "v[by=1] 1", "v[by=2] 0", "v[by=2] 1"]
        try checkComplete(ends, actions: Dictionary(uniqueKeysWithValues: (variants + ["s *", "t *"]).map { ($0, 1) }))
    }

    @Test func sourcesHashedAtAnyTime() throws {
        let stages = [
            source(), map("a", "s"), source("o", value: 2),
            Toy("c", "scale", [("numbers", ["a.positive"]), ("factor", ["o"])]),
        ]
        let ends = try explore(stages, hashesAtOnce: false, atLeast: 400)
        try checkComplete(ends, actions: ["s *": 1, "o *": 1, "a 0": 1, "a 1": 1, "c 0": 1, "c 1": 1])
    }

    @Test func stagesWithTheSameWorkDoItOnce() throws {
        let stages = [source("s"), source("o"), map("a", "s"), map("b", "o")]
        let ends = try explore(stages, atLeast: 1000)
        #expect(Set(ends.map(\.outputs)).count == 1)
        for end in ends {
            #expect(end.isComplete)
            #expect(end.executions.values.reduce(0, +) == 3)
        }
    }

    @Test func resourcesOfEveryClass() throws {
        func needy(_ name: String, _ parameters: [String: JSON]) -> Toy {
            Toy(name, "needy", [("numbers", ["s"])], parameters)
        }
        let stages = [
            source(), needy("asks", ["slots": 0, "calls": 1]), needy("asks-more", ["slots": 0, "calls": 2]),
            needy("trains", ["slots": 2, "accelerators": 1]),
            map("cuts", "s"),
        ]
        let ends = try explore(
            stages, shards: [""], limits: Resources(cpuSlots: 3, accelerators: 1, networkCalls: 2), atLeast: 1000)
        try checkComplete(ends, actions: Dictionary(uniqueKeysWithValues: stages.map { ("\($0.name) *", 1) }))
    }

    // MARK: Known results

    @Test func whatIsKnownIsNotRunAgain() throws {
        let stages = [source(), map("a", "s"), map("b", "a.positive"), total("t", "b.positive")]
        let before = try finished(stages)
        var world = store(after: before)
        try checkComplete(try explore(stages, world, atLeast: 7), actions: [:])
        world.memos = [:]
        try checkComplete(try explore(stages, world, atLeast: 22), actions: [:])
    }

    @Test func anEditBehindRunsOnlyWhatIsBehindIt() throws {
        let before = try finished([source(), map("a", "s"), map("b", "a.positive"), total("t", "b.positive")])
        let ends = try explore(
            [source(), map("a", "s"), map("b", "a.positive", by: 9), total("t", "b.positive")], store(after: before),
            atLeast: 25)
        try checkComplete(ends, actions: ["b 0": 1, "b 1": 1, "t *": 1])
    }

    // MARK: Failures

    @Test(arguments: ["a 0", "a 0 on disk"]) func aFailureEndsTheRun(failing: String) throws {
        let stages = [source(), map("a", "s"), map("b", "a.positive"), map("c", "s", by: 3)]
        var world = World()
        world.failing = [failing]
        for end in try explore(stages, world, atLeast: 570) {
            #expect(!end.isComplete)
            #expect(end.phases[1] == "failed")
            #expect(end.executions["b 0"] == nil)
            #expect(end.executions.values.allSatisfy { $0 == 1 })
        }
    }

    @Test(arguments: ["a 0", "a 0 on disk"]) func afterAFailureTheRestGoesOnWhereAskedTo(failing: String) throws {
        let stages = [source(), map("a", "s"), map("b", "a.positive"), map("c", "s", by: 3)]
        var world = World()
        world.failing = [failing]
        let ends = try explore(stages, world, keepGoing: true, atLeast: 450)
        for end in ends {
            #expect(end.phases[1] == "failed" && end.phases[3] == "complete")
            #expect(end.executions["b 0"] == nil)
            #expect(end.executions["c 0"] == 1 && end.executions["c 1"] == 1)
        }
    }

    @Test func anInterruptionAtAnyMoment() throws {
        let stages = [source(), map("a", "s"), map("b", "a.positive")]
        var world = World()
        world.mayCancel = true
        world.held = [ActionID(stage: 1, task: 1)]
        let ends = try explore(stages, world, atLeast: 400)
        #expect(ends.contains { $0.isComplete } && ends.contains { $0.executions.isEmpty })
        #expect(ends.allSatisfy { !$0.phases.contains("failed") && $0.executions.values.allSatisfy { $0 == 1 } })
    }

    // MARK: Lost content

    @Test func lostContentIsMadeAgainWhereItIsReadAndNowhereElse() throws {
        let before = try finished([source(), map("a", "s"), map("b", "a.positive"), map("c", "b.positive")])
        var world = store(after: before)
        let (a, b) = (before.machine.stages[1], before.machine.stages[2])
        // What b made for the one shard, what it read for both, and what nobody reads.
        world.blobs.remove(b.shard(of: 0, on: "positive")!.digest)
        world.blobs.remove(a.shard(of: 0, on: "positive")!.digest)
        world.blobs.remove(a.shard(of: 1, on: "positive")!.digest)
        world.blobs.remove(a.shard(of: 0, on: "negative")!.digest)
        let ends = try explore(
            [source(), map("a", "s"), map("b", "a.positive"), map("c", "b.positive", by: 9)], world, atLeast: 50)
        try checkComplete(ends, actions: ["a 0": 1, "b 0": 1, "c 0": 1, "c 1": 1])
    }

    @Test func damageThatShowsWhenItIsRead() throws {
        let before = try finished([source(), map("a", "s"), map("b", "a.positive")])
        var world = store(after: before)
        let source = before.machine.stages[0].outputs["numbers"]!
        world.damaged = Set(before.machine.stages[1].shards(0..<2, on: "positive").map(\.digest))
        world.damaged.insert(source.shards[0].digest)
        let stages = [self.source(), map("a", "s"), map("b", "a.positive"), map("c", "a.positive", by: 5)]
        let ends = try explore(stages, world, atLeast: 140)
        try checkComplete(ends, actions: ["s *": 1, "a 0": 1, "a 1": 1, "c 0": 1, "c 1": 1])
    }

    @Test func contentThatComesOutOtherwiseEndsTheRunToBeDecidedAnew() throws {
        let before = try finished([source(), map("a", "s"), map("b", "a.positive")])
        var world = store(after: before)
        for shard in before.machine.stages[1].shards(0..<2, on: "positive") { world.blobs.remove(shard.digest) }
        world.fickle = ["a"]
        world.held = [ActionID(stage: 1, task: 1)]
        let stages = [source(), map("a", "s"), map("b", "a.positive"), map("c", "a.positive", by: 5)]
        let ends = try explore(stages, world, atLeast: 80)
        #expect(ends.allSatisfy { $0.hasDiverged && !$0.isComplete })
    }

    // MARK: Other processes

    @Test func actionsThatOtherProcessesRunAreAwaitedWithoutASlot() throws {
        let stages = [source(), map("a", "s"), map("b", "a.positive")]
        var world = World()
        world.held = [ActionID(stage: 1, task: 0), ActionID(stage: 1, task: 1), ActionID(stage: 2, task: 0)]
        let ends = try explore(stages, world, limits: Resources(cpuSlots: 1), atLeast: 400)
        #expect(Set(ends.map(\.outputs)).count == 1)
        #expect(ends.allSatisfy { $0.isComplete && $0.executions.values.allSatisfy { $0 == 1 } })
        // Each of the three is found or, the other having gone, run here.
        #expect(ends.count == 8)
    }

    @Test func aFailureDoesNotWaitForOtherProcesses() throws {
        let stages = [source(), map("a", "s"), map("b", "a.positive")]
        var world = World()
        world.held = [ActionID(stage: 1, task: 0)]
        world.failing = ["a 1"]
        let ends = try explore(stages, world, atLeast: 50)
        #expect(ends.allSatisfy { !$0.isComplete && $0.phases[1] == "failed" })
    }
}
