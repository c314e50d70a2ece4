import CanonicalJSON
import ContentStore
import StageGraph
import Testing

@testable import Scheduling

/// Drives the state machine without threads: every outstanding effect may be the next to finish.
private struct Simulation {
    var machine: RunMachine
    var open: [RunMachine.Effect] = []
    var produced: [(ActionID, ActionOutcome)] = []
    /// Which actions ran, by stage and shard.
    var ran: [String] = []
    var mostRunning = 0
    /// Keys the cache knows.
    var cache: [Digest: ActionOutcome]
    var memos: [Digest: StageOutcome]
    var failing: Set<String> = []
    private var random: UInt64
    /// One to four shards; some stay empty.
    private static let outputs = ScriptedOutputs(
        prefixes: { [[""], ["0", "1"], ["0", "10", "110", "111"]][Int($0.bytes[7]) % 3] },
        isEmpty: { $0.bytes[$1] % 4 == 0 })

    init(
        _ pipeline: Pipeline, seed: UInt64, slots: Int, mode: RunMachine.Mode = .run, keepGoing: Bool = false,
        cache: [Digest: ActionOutcome] = [:], memos: [Digest: StageOutcome] = [:]
    ) {
        machine = RunMachine(
            pipeline, mode: mode, limits: Resources(cpuSlots: slots), keepGoing: keepGoing)
        random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        self.cache = cache
        self.memos = memos
    }

    mutating func run() {
        open = machine.start()
        while !open.isEmpty || !produced.isEmpty {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            if !produced.isEmpty, open.isEmpty || random % 3 == 0 {
                let (id, outcome) = produced.remove(at: Int(random % UInt64(produced.count)))
                open += machine.handle(.ran(id, outcome))
                continue
            }
            let effect = open.remove(at: Int(random % UInt64(open.count)))
            open += machine.handle(answer(effect))
            mostRunning = max(mostRunning, open.count { if case .run = $0 { true } else { false } })
        }
    }

    private mutating func answer(_ effect: RunMachine.Effect) -> RunMachine.Event {
        switch effect {
        case .hashSources(let stage): return .sourcesHashed(stage: stage, sources: [], programs: [])
        case .lookUpMemo(let stage, let preimage): return .memoLookedUp(stage: stage, memos[preimage.key])
        case .lookUp(let id, let preimage): return .lookedUp(id, cache[preimage.key])
        case .run(let id, let preimage):
            let state = machine.stages[id.stage]
            let prefix = state.tasks![id.task].prefix
            ran.append("\(state.node.name) \(prefix)")
            if failing.contains(state.node.name) { return .actionFailed(id) }
            let outcome = Simulation.outputs.outcome(of: state, prefix, preimage.key)
            cache[preimage.key] = outcome
            // Some results are on their way to the disk for a while, and other actions have the slot meanwhile.
            if random & 1 == 0 {
                produced.append((id, outcome))
                return .produced(id)
            }
            return .ran(id, outcome)
        case .abandon: preconditionFailure("nothing is held elsewhere")
        case .complete(let stage, let preimage, let outputs):
            if let preimage {
                let state = machine.stages[stage]
                memos[preimage.key] = StageOutcome(
                    outputs: outputs, accounting: state.accounting, actions: state.executed + state.cached)
            }
            return .completed(stage: stage)
        }
    }
}

@Suite struct RunMachineTests {
    /// A random pipeline of toy stages, and its variant with one parameter changed.
    private func pipeline(_ seed: UInt64, edit: Bool = false) throws -> Pipeline {
        var state = seed &* 0xD134_2543_DE82_EF95 &+ 1
        func pick(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var stages = [Toy("s0", "numbers", [], ["values": ["n": .integer(Int64(seed % 1000))]])]
        var outputs = ["s0"]
        let count = 3 + pick(6)
        let edited = 1 + pick(count - 1)
        for index in 1..<count {
            let name = "s\(index)"
            let bump: Int64 = edit && index == edited ? 1 : 0
            func any() -> String { outputs[pick(outputs.count)] }
            switch pick(4) {
            case 0:
                stages.append(
                    Toy(name, "sum", [("numbers", (0...pick(3)).map { _ in any() })], ["modulo": .integer(7 + bump)]))
                outputs.append(name)
            case 1:
                let inputs = [("numbers", [any()]), ("others", [any()])]
                stages.append(Toy(name, "shift", inputs, ["by": .integer(Int64(index) * 10 + bump)]))
                outputs += ["\(name).positive", "\(name).negative"]
            default:
                stages.append(Toy(name, "shift", [("numbers", [any()])], ["by": .integer(Int64(index) * 10 + bump)]))
                outputs += ["\(name).positive", "\(name).negative"]
            }
        }
        return try .toys(stages)
    }

    @Test(arguments: 0..<60 as Range<UInt64>) func randomInterleavingsGiveTheSameResult(seed: UInt64) throws {
        let pipeline = try pipeline(seed)
        var reference = Simulation(pipeline, seed: 1, slots: 1)
        reference.run()
        #expect(reference.machine.stages.allSatisfy { $0.phase == .complete })
        for order in 2..<8 as Range<UInt64> {
            var simulation = Simulation(pipeline, seed: seed &* 31 &+ order, slots: 1 + Int(order) % 4)
            simulation.run()
            #expect(simulation.machine.stages.map(\.outputs) == reference.machine.stages.map(\.outputs))
            #expect(simulation.machine.stages.map(\.accounting) == reference.machine.stages.map(\.accounting))
            #expect(simulation.ran.sorted() == reference.ran.sorted())
            #expect(Set(simulation.ran).count == simulation.ran.count, "an action ran twice")
            #expect(simulation.mostRunning <= 1 + Int(order) % 4)
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>) func nothingRunsTwiceAndAnEditRunsWhatANewRunWouldAdd(seed: UInt64) throws
    {
        var first = Simulation(try pipeline(seed), seed: seed + 1, slots: 2)
        first.run()
        var again = Simulation(
            try pipeline(seed), seed: seed + 2, slots: 2, cache: first.cache, memos: first.memos)
        again.run()
        #expect(again.ran.isEmpty)
        #expect(again.machine.stages.map(\.outputs) == first.machine.stages.map(\.outputs))
        // Without memos, action by action: the same.
        var single = Simulation(try pipeline(seed), seed: seed + 3, slots: 2, cache: first.cache)
        single.run()
        #expect(single.ran.isEmpty)
        #expect(single.machine.stages.map(\.accounting) == first.machine.stages.map(\.accounting))

        let edited = try pipeline(seed, edit: true)
        var scratch = Simulation(edited, seed: seed + 4, slots: 2)
        scratch.run()
        var incremental = Simulation(edited, seed: seed + 5, slots: 2, cache: first.cache, memos: first.memos)
        incremental.run()
        #expect(incremental.machine.stages.map(\.outputs) == scratch.machine.stages.map(\.outputs))
        let known = Set(first.cache.keys)
        #expect(incremental.ran.count == scratch.cache.keys.count { !known.contains($0) })
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func aFailureLeavesTheRestToTheNextRun(seed: UInt64) throws {
        let pipeline = try pipeline(seed)
        let victim = pipeline.stages[Int(seed) % pipeline.stages.count].name
        for keepGoing in [false, true] {
            var broken = Simulation(pipeline, seed: seed + 9, slots: 2, keepGoing: keepGoing)
            broken.failing = [victim]
            broken.run()
            #expect(broken.machine.isFinished)
            var mended = Simulation(pipeline, seed: seed + 10, slots: 2, cache: broken.cache, memos: broken.memos)
            mended.run()
            var reference = Simulation(pipeline, seed: seed + 11, slots: 2)
            reference.run()
            #expect(mended.machine.stages.map(\.outputs) == reference.machine.stages.map(\.outputs))
            let finished = broken.cache.count
            #expect(mended.ran.count == reference.ran.count - finished)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func planningRunsNothingAndForeseesTheFirstActions(seed: UInt64) throws {
        var plan = Simulation(try pipeline(seed), seed: seed, slots: 2, mode: .plan)
        plan.run()
        #expect(plan.ran.isEmpty)
        #expect(plan.machine.stages[0].tasks![0].status == .wouldRun)
        #expect(plan.machine.stages.dropFirst().allSatisfy { $0.phase != .complete })
    }
}
