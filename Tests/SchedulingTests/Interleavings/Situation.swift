import ContentStore
import StageGraph

@testable import Scheduling

/// A state of the machine and of the world around it, with the gates that stand closed: each may open next.
struct Situation {
    enum Gate {
        /// An effect that has not been answered.
        case effect(RunMachine.Effect)
        /// An action that has computed, and whose result is on its way to the disk.
        case publishing(ActionID, Digest, ActionOutcome)
        /// An action that another process is running, or this one under another name.
        case held(ActionID, ActionPreimage, byAnother: Bool)
    }

    /// What happens when a gate opens.
    enum Opening {
        case answer
        /// The stage throws, or its result cannot be written.
        case fail
        /// The action turns out to be running already.
        case holdElsewhere
        /// The action turns out to be finished.
        case findResult
        /// Whoever ran the action has gone without a result.
        case release
        /// What the action reads turns out to be gone.
        case loseInputs
    }

    var machine: RunMachine
    var world: World
    var gates: [Gate] = []
    /// Actions of other processes that nobody is to wait for any more.
    private var abandoned: Set<ActionID> = []
    /// What should not have happened.
    private(set) var violations: [String] = []
    let outputs: ScriptedOutputs
    /// Whether the hashing of sources is an effect without a gate.
    let hashesAtOnce: Bool

    init(
        _ pipeline: Pipeline, _ world: World, limits: Resources, keepGoing: Bool = false, outputs: ScriptedOutputs,
        hashesAtOnce: Bool = true, weights: [String: Double] = [:]
    ) {
        machine = RunMachine(pipeline, mode: .run, limits: limits, keepGoing: keepGoing, weights: weights)
        self.world = world
        self.outputs = outputs
        self.hashesAtOnce = hashesAtOnce
        take(machine.start())
    }

    func name(_ id: ActionID) -> String {
        "\(machine.stages[id.stage].node.name) \(machine.stages[id.stage].tasks![id.task].prefix)"
    }

    /// The ways in which a gate may open.
    func openings(of gate: Gate) -> [Opening] {
        switch gate {
        case .effect(.run(let id, let preimage)):
            if world.held.contains(id) || isPublishing(preimage.key) { return [.holdElsewhere] }
            if isKnown(preimage.key) { return [.findResult] }
            if !world.lost(among: machine.blobsRead(by: id)).isEmpty { return [.loseInputs] }
            return world.failing.contains(name(id)) ? [.fail] : [.answer]
        case .effect: return [.answer]
        case .publishing(let id, _, _): return world.failing.contains("\(name(id)) on disk") ? [.fail] : [.answer]
        case .held(_, _, byAnother: true): return [.findResult, .release]
        case .held(_, let preimage, byAnother: false):
            return isPublishing(preimage.key) ? [] : [isKnown(preimage.key) ? .findResult : .release]
        }
    }

    private func isPublishing(_ key: Digest) -> Bool {
        gates.contains { if case .publishing(_, key, _) = $0 { true } else { false } }
    }

    private func isKnown(_ key: Digest) -> Bool {
        world.results[key].map { world.withMissing($0).missing.isEmpty } ?? false
    }

    /// The user interrupts the run.
    mutating func cancel() {
        world.mayCancel = false
        world.isOver = true
        take(machine.stop())
    }

    mutating func open(_ index: Int, _ opening: Opening) {
        let gate = gates.remove(at: index)
        switch (gate, opening) {
        case (.effect(.run(let id, _)), .fail), (.publishing(let id, _, _), .fail):
            if !machine.keepGoing { world.isOver = true }
            take(machine.handle(.actionFailed(id)))
        case (.effect(.run(let id, let preimage)), .holdElsewhere):
            gates.append(.held(id, preimage, byAnother: world.held.remove(id) != nil))
            take(machine.handle(.heldElsewhere(id)))
        case (.effect(.run(let id, _)), .loseInputs):
            let lost = world.lost(among: machine.blobsRead(by: id))
            world.blobs.subtract(lost)
            world.damaged.subtract(lost)
            take(machine.handle(.inputsLost(id, lost)))
        case (.publishing(let id, let key, let outcome), _):
            world.publish(outcome, key: key)
            take(machine.handle(.ran(id, outcome)))
        case (.held(let id, let preimage, _), .findResult), (.effect(.run(let id, let preimage)), .findResult):
            let known = isKnown(preimage.key) ? world.results[preimage.key] : nil
            let outcome = known ?? scripted(id, preimage.key)
            world.publish(outcome, key: preimage.key)
            take(machine.handle(.found(id, outcome)))
        case (.effect(.run(let id, let preimage)), _):
            gates.append(.publishing(id, preimage.key, execute(id, preimage.key)))
            take(machine.handle(.produced(id)))
        case (.held(let id, _, _), _): take(machine.handle(.released(id)))
        case (.effect(let effect), _): take(machine.handle(answer(effect)))
        }
    }

    private mutating func answer(_ effect: RunMachine.Effect) -> RunMachine.Event {
        switch effect {
        case .hashSources(let stage): return .sourcesHashed(stage: stage, sources: [], programs: [])
        case .lookUpMemo(let stage, let preimage):
            return .memoLookedUp(stage: stage, world.memos[preimage.key].map { world.withMissing($0) })
        case .lookUp(let id, let preimage):
            return .lookedUp(id, world.results[preimage.key].map { world.withMissing($0) })
        case .complete(let stage, let preimage, let outputs):
            if let preimage {
                let state = machine.stages[stage]
                world.memos[preimage.key] = StageOutcome(
                    outputs: outputs, accounting: state.accounting, actions: state.executed + state.cached)
            }
            return .completed(stage: stage)
        case .run, .abandon: preconditionFailure("opened otherwise")
        }
    }

    private func scripted(_ id: ActionID, _ key: Digest, variant: String = "") -> ActionOutcome {
        var outputs = outputs
        outputs.variant = variant
        let state = machine.stages[id.stage]
        return outputs.outcome(of: state, state.tasks![id.task].prefix, key)
    }

    /// Runs an action. Nothing is made a second time that is there.
    private mutating func execute(_ id: ActionID, _ key: Digest) -> ActionOutcome {
        let isFickle = world.fickle.contains(machine.stages[id.stage].node.name)
        if let known = world.results[key] {
            require(!world.withMissing(known).missing.isEmpty) { "\($0.name(id)) ran although its result is there" }
        }
        world.executions[id, default: 0] += 1
        return scripted(id, key, variant: isFickle ? "\(world.results[key] == nil ? 1 : 2)" : "")
    }

    /// Takes over what the machine wants done, which has to be allowed.
    private mutating func take(_ first: [RunMachine.Effect]) {
        var effects = first[...]
        while let effect = effects.popFirst() {
            switch effect {
            case .hashSources(let stage) where hashesAtOnce:
                effects += machine.handle(.sourcesHashed(stage: stage, sources: [], programs: []))
            // The wait ends soon; the other process may have finished just before.
            case .abandon(let id): abandoned.insert(id)
            case .run(let id, _):
                checkStart(id)
                gates.append(.effect(effect))
            default: gates.append(.effect(effect))
            }
        }
        checkResources()
        checkWaits()
    }
}

// MARK: - What has to hold

extension Situation {
    /// Actions that occupy resources.
    var running: [ActionID] {
        gates.compactMap { if case .effect(.run(let id, _)) = $0 { id } else { nil } }
    }

    private func needs(_ id: ActionID) -> Resources { machine.stages[id.stage].needs }

    private var ready: [ActionID] {
        machine.stages.indices.flatMap { stage in
            (machine.stages[stage].tasks ?? []).indices.map { ActionID(stage: stage, task: $0) }
        }.filter { machine.stages[$0.stage].tasks![$0.task].status == .ready }
    }

    private mutating func require(_ condition: Bool, or violation: (Situation) -> String) {
        if !condition { violations.append(violation(self)) }
    }

    /// An action may start now.
    private mutating func checkStart(_ id: ActionID) {
        require(!world.isOver && !machine.hasDiverged) { "\($0.name(id)) started after the end" }
        let read = machine.blobsRead(by: id)
        require(read.allSatisfy(world.blobs.contains)) { "\($0.name(id)) started before its inputs were there" }
        let isUnderWay = gates.contains { gate in
            switch gate {
            case .effect(.run(id, _)), .publishing(id, _, _), .held(id, _, _): true
            default: false
            }
        }
        require(!isUnderWay) { "\($0.name(id)) started twice at once" }
        for other in ready where needs(other) == needs(id) {
            require(machine.stages[other.stage].reach <= machine.stages[id.stage].reach) {
                "\($0.name(other)) has the longer chain and stands back behind \($0.name(id))"
            }
        }
    }

    /// No more is taken than there is, and nothing is idle that a waiting action could use.
    private mutating func checkResources() {
        var used = Resources(cpuSlots: 0)
        for id in running { used += needs(id) }
        require(used == machine.used) { "\($0.machine.used) is in use according to the machine, and \(used) is" }
        require(used.fits(in: machine.limits)) { "\(used) is in use of \($0.machine.limits)" }
        guard !machine.isStopping, !machine.hasDiverged else { return }
        var free = machine.limits
        free -= used
        let ready = ready
        for id in ready where needs(id).fits(in: free) {
            // What a more urgent action lacks is kept for it.
            let isKept = ready.contains { other in
                machine.stages[other.stage].reach >= machine.stages[id.stage].reach && !needs(other).fits(in: free)
                    && !needs(id).fits(in: needs(other).reserving(from: free))
            }
            require(isKept) { "\($0.name(id)) waits although \(free) is free" }
        }
    }

    /// At the end nobody waits for other processes, and before it nobody stops waiting.
    private mutating func checkWaits() {
        let isOver = machine.isStopping || machine.hasDiverged
        require(isOver || abandoned.isEmpty) { _ in "an action was abandoned while the run goes on" }
        for gate in gates {
            if case .held(let id, _, _) = gate, isOver {
                require(abandoned.contains(id)) { "the end of the run waits for \($0.name(id))" }
            }
        }
    }
}
