import ContentStore
import StageGraph

@testable import Scheduling

/// Opens the gates of a situation in every order, each state once.
///
/// Depth first; states are told apart by everything that decides what can follow. Time and memory grow with the number
/// of states.
struct Explorer {
    /// What a run ended with.
    struct End: Hashable {
        var outputs: [[String: Digest]]
        var phases: [String]
        /// Actions executed here, with how often.
        var executions: [String: Int]
        var isComplete: Bool
        var hasDiverged: Bool
    }

    /// Distinct states seen.
    private(set) var states = 0
    /// Gates opened, from all states together.
    private(set) var steps = 0
    private(set) var ends: Set<End> = []
    private var seen: Set<[UInt8]> = []
    /// The states between the start and the present one.
    private var path: Set<[UInt8]> = []
    private var numbers: [Digest: UInt16] = [:]

    /// The first thing that should not have happened, with the gates opened before it.
    private(set) var violation: String?
    private var trace: [String] = []

    mutating func explore(_ situation: Situation) {
        guard violation == nil else { return }
        let state = fingerprint(situation)
        if path.contains(state) { report("the machine goes round in circles") }
        for violation in situation.violations { report(violation) }
        guard seen.insert(state).inserted else { return }
        path.insert(state)
        defer { path.remove(state) }
        states += 1
        if situation.world.mayCancel {
            var next = situation
            next.cancel()
            explore(next)
        }
        for (index, gate) in situation.gates.enumerated() {
            for opening in situation.openings(of: gate) {
                var next = situation
                next.open(index, opening)
                steps += 1
                trace.append("\(opening) \(describe(gate, in: situation))")
                explore(next)
                trace.removeLast()
            }
        }
        if situation.machine.isFinished != situation.gates.isEmpty { report("the machine does not know its end") }
        if situation.gates.isEmpty { ends.insert(end(of: situation)) }
    }

    private mutating func report(_ what: String) {
        if violation == nil { violation = "\(what), after: \(trace.joined(separator: ", "))" }
    }

    private func describe(_ gate: Situation.Gate, in situation: Situation) -> String {
        switch gate {
        case .effect(.hashSources(let stage)): "sources of \(situation.machine.stages[stage].node.name)"
        case .effect(.lookUpMemo(let stage, _)): "memo of \(situation.machine.stages[stage].node.name)"
        case .effect(.complete(let stage, _, _)): "artifacts of \(situation.machine.stages[stage].node.name)"
        case .effect(.lookUp(let id, _)): "look-up of \(situation.name(id))"
        case .effect(.run(let id, _)): "run of \(situation.name(id))"
        case .effect(.abandon(let id)): "end of the wait for \(situation.name(id))"
        case .publishing(let id, _, _): "result of \(situation.name(id))"
        case .held(let id, _, _): "another's \(situation.name(id))"
        }
    }

    private func end(of situation: Situation) -> End {
        let executions = situation.world.executions.map { (situation.name($0.key), $0.value) }
        return End(
            outputs: situation.machine.stages.map { stage in
                stage.phase == .complete ? stage.outputs.mapValues(\.digest) : [:]
            },
            phases: situation.machine.stages.map { "\($0.phase)" },
            executions: Dictionary(uniqueKeysWithValues: executions), isComplete: situation.machine.isComplete,
            hasDiverged: situation.machine.hasDiverged)
    }
}

// MARK: - Telling states apart

extension Explorer {
    private mutating func number(_ digest: Digest) -> [UInt8] {
        let number = numbers[digest] ?? UInt16(numbers.count)
        numbers[digest] = number
        return [UInt8(number & 255), UInt8(number >> 8)]
    }

    private mutating func numbers(_ digests: some Sequence<Digest>) -> [UInt8] {
        let sorted = digests.map { number($0) }.sorted { $0.lexicographicallyPrecedes($1) }
        return [UInt8(sorted.count)] + sorted.joined()
    }

    private mutating func fingerprint(_ situation: Situation) -> [UInt8] {
        var bytes: [UInt8] = []
        let machine = situation.machine
        bytes += [machine.isStopping ? 1 : 0, machine.hasDiverged ? 1 : 0]
        bytes += numbers(machine.absent)
        for (number, stage) in machine.stages.enumerated() {
            bytes += [phase(stage.phase), stage.sources == nil ? 0 : 1, UInt8(stage.executed), UInt8(stage.cached)]
            bytes += [UInt8(stage.accounting.recordsIn), UInt8(stage.unfinishedTasks), UInt8(stage.unrestoredTasks)]
            bytes += numbers(stage.outputs.values.map(\.digest))
            for (index, task) in (stage.tasks ?? []).enumerated() {
                bytes += [status(task.status), UInt8(task.pending), task.isRestoring ? 1 : 0, task.isExecuted ? 1 : 0]
                let made = stage.signature.outputs.compactMap { stage.shard(of: index, on: $0.name) }
                bytes += numbers(made.map(\.digest))
                bytes += numbers(machine.lacking[ActionID(stage: number, task: index)] ?? [])
            }
            bytes.append(255)
        }
        let gates = situation.gates.map { gate($0) }.sorted { $0.lexicographicallyPrecedes($1) }
        bytes += gates.joined()
        let world = situation.world
        bytes += numbers(world.blobs) + numbers(world.damaged) + numbers(world.results.keys) + numbers(world.memos.keys)
        bytes += [world.mayCancel ? 1 : 0, world.isOver ? 1 : 0, UInt8(world.held.count)]
        for id in world.held.sorted(by: { ($0.stage, $0.task) < ($1.stage, $1.task) }) {
            bytes += [UInt8(id.stage), UInt8(id.task)]
        }
        for (id, count) in world.executions.sorted(by: { ($0.key.stage, $0.key.task) < ($1.key.stage, $1.key.task) }) {
            bytes += [UInt8(id.stage), UInt8(id.task), UInt8(count)]
        }
        return bytes
    }

    private mutating func gate(_ gate: Situation.Gate) -> [UInt8] {
        switch gate {
        case .effect(.hashSources(let stage)): [1, UInt8(stage)]
        case .effect(.lookUpMemo(let stage, let preimage)): [2, UInt8(stage)] + number(preimage.key)
        case .effect(.lookUp(let id, let preimage)): [3, UInt8(id.stage), UInt8(id.task)] + number(preimage.key)
        case .effect(.run(let id, let preimage)): [4, UInt8(id.stage), UInt8(id.task)] + number(preimage.key)
        case .effect(.complete(let stage, _, let outputs)): [5, UInt8(stage)] + numbers(outputs.values.map(\.digest))
        case .effect(.abandon(let id)): [6, UInt8(id.stage), UInt8(id.task)]
        case .publishing(let id, let key, let outcome):
            [7, UInt8(id.stage), UInt8(id.task)] + number(key)
                + numbers(ResultCoding.references(outcome.outputs.values))
        case .held(let id, let preimage, let byAnother):
            [8, UInt8(id.stage), UInt8(id.task), byAnother ? 1 : 0] + number(preimage.key)
        }
    }

    private func phase(_ phase: StageState.Phase) -> UInt8 {
        switch phase {
        case .waiting: 0
        case .lookingUpMemo: 1
        case .open: 2
        case .completing: 3
        case .complete: 4
        case .failed: 5
        }
    }

    private func status(_ status: TaskState.Status) -> UInt8 {
        switch status {
        case .waiting: 0
        case .lookingUp: 1
        case .blocked: 2
        case .ready: 3
        case .running: 4
        case .heldElsewhere: 5
        case .publishing: 6
        case .done: 7
        case .failed: 8
        case .wouldRun: 9
        }
    }
}
