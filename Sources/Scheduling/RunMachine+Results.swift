import CanonicalJSON
import ContentStore
import StageGraph

/// What becomes of the stages behind an action or a stage that is done.
extension RunMachine {
    /// An action that had to run has its result.
    mutating func finishRun(_ id: ActionID, _ outcome: ActionOutcome, isExecuted: Bool) {
        if isExecuted {
            stages[id.stage].executed += stages[id.stage].tasks![id.task].isExecuted ? 0 : 1
            stages[id.stage].seconds += outcome.seconds
        }
        if stages[id.stage].tasks![id.task].isRestoring {
            if isExecuted && !stages[id.stage].tasks![id.task].isExecuted {
                stages[id.stage].cached -= 1
                stages[id.stage].tasks![id.task].isExecuted = true
            }
            return finishRestoring(id, outcome)
        }
        if !isExecuted { stages[id.stage].cached += 1 }
        stages[id.stage].tasks![id.task].isExecuted = isExecuted
        finish(id, outcome)
        contentArrived(outcome)
    }

    mutating func finish(_ id: ActionID, _ outcome: ActionOutcome) {
        stages[id.stage].tasks![id.task].status = .done
        stages[id.stage].accounting += outcome.accounting
        stages[id.stage].unfinishedTasks -= 1
        if stages[id.stage].isMap {
            stages[id.stage].setAccounting(outcome.accounting, of: id.task)
            for (name, output) in outcome.outputs {
                guard case .shard(let shard?) = output else { continue }
                if stages[id.stage].made[name] == nil {
                    stages[id.stage].made[name] = MadeShards(
                        first: shard, tasks: stages[id.stage].tasks!.count)
                }
                stages[id.stage].made[name]!.set(shard, of: id.task)
            }
            // Before the shards are delivered: a stage behind may finish on the spot and ask for these artifacts.
            if stages[id.stage].unfinishedTasks == 0 { assembleOutputs(id.stage) }
            deliver(id)
            completeIfDone(id.stage)
        } else {
            for (name, output) in outcome.outputs {
                if case .artifact(let artifact) = output { stages[id.stage].outputs[name] = artifact }
            }
            stages[id.stage].key = stages[id.stage].tasks![id.task].key
            stages[id.stage].phase = .completing
            emit(.complete(stage: id.stage, nil, outputs: stages[id.stage].outputs))
        }
    }

    /// Takes over a stage found finished as a whole.
    mutating func adopt(_ outcome: StageOutcome, _ stage: Int) {
        stages[stage].outputs = outcome.outputs
        stages[stage].accounting = outcome.accounting
        stages[stage].cached = outcome.actions
        stages[stage].unfinishedTasks = 0
        for task in stages[stage].tasks!.indices {
            stages[stage].tasks![task].status = .done
            deliver(ActionID(stage: stage, task: task))
        }
        stages[stage].phase = .complete
        absent.formUnion(outcome.missing)
        announce(stage)
        if !outcome.missing.isEmpty {
            for task in stages[stage].tasks!.indices { restoreIfWanted(ActionID(stage: stage, task: task)) }
        }
    }

    /// Hands a finished action's shards to the map stages behind it.
    private mutating func deliver(_ id: ActionID) {
        for (dependent, input) in stages[id.stage].dependents {
            let resolved = stages[dependent].inputs[input]
            guard resolved.isSharded, stages[dependent].tasks != nil else { continue }
            let position = stages[dependent].inputs[..<input].count(where: \.isSharded)
            let task = Int(stages[dependent].routes[position][id.task])
            stages[dependent].tasks![task].pending -= 1
            touch(dependent, task)
        }
    }

    /// Tells the dependents that a stage's artifacts are complete.
    mutating func announce(_ stage: Int) {
        // Before any of them opens: an action that comes to be now does not wait for this stage any more.
        for (dependent, input) in stages[stage].dependents
        where !stages[dependent].inputs[input].isSharded && stages[dependent].tasks != nil {
            for task in stages[dependent].tasks!.indices { stages[dependent].tasks![task].pending -= 1 }
        }
        for (dependent, _) in stages[stage].dependents {
            if stages[dependent].tasks == nil || stages[dependent].phase == .waiting {
                openIfPossible(dependent)
            } else if stages[dependent].phase == .open {
                lookUpReadyTasks(dependent)
            }
        }
    }

    private mutating func touch(_ stage: Int, _ task: Int) {
        guard stages[stage].tasks![task].pending == 0 else { return }
        switch stages[stage].phase {
        case .waiting:
            // The source's completion is about to be announced: leave the stage to be looked up as a whole then.
            let isLast = stages[stage].inputs.allSatisfy {
                stages[$0.source].phase == .complete || stages[$0.source].unfinishedTasks == 0
            }
            if !isLast { lookUp(stage) }
        case .open: lookUpIfReady(ActionID(stage: stage, task: task))
        default: break
        }
    }

    mutating func completeIfDone(_ stage: Int) {
        guard stages[stage].isMap, stages[stage].phase == .open, stages[stage].unfinishedTasks == 0 else { return }
        if stages[stage].outputs.isEmpty { assembleOutputs(stage) }
        stages[stage].phase = .completing
        // Sharded inputs may still be publishing their artifacts; the memo needs their digests only.
        let preimage = memoPreimage(stage)
        stages[stage].key = preimage.key
        emit(.complete(stage: stage, preimage, outputs: stages[stage].outputs))
    }

    private mutating func assembleOutputs(_ stage: Int) {
        do {
            for port in stages[stage].signature.outputs where stages[stage].outputs[port.name] == nil {
                let shards = stages[stage].made.removeValue(forKey: port.name)?.all ?? []
                stages[stage].outputs[port.name] = try Artifact(type: port.type, shards: shards)
            }
        } catch {
            stages[stage].problem = "\(error)"
            fail(stage)
        }
    }
}
