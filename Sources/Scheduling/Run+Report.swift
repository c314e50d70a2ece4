import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// What came of a run, as values.
extension Run {
    func report(seconds: Double) -> RunReport {
        state.withLock { state in
            let stages = state.machine.stages.indices.map { report($0, state) }
            let problems = state.machine.stages.compactMap { stage in
                stage.problem.map { RunFailure(stage: stage.node.name, prefix: nil, records: nil, message: $0) }
            }
            return RunReport(
                pipeline: pipeline.name,
                status: state.machine.isComplete ? .ok : state.isCancelled ? .interrupted : .failed,
                seconds: seconds, stages: stages, failures: state.failures + problems)
        }
    }

    func report(_ index: Int, _ state: State) -> StageReport {
        let stage = state.machine.stages[index]
        let before = state.earlier[index] ?? ExecutedBefore()
        // An action executed before the pipeline was decided anew is found in the cache afterwards.
        let executed = stage.executed + min(before.actions, stage.cached)
        let isComplete = stage.phase == .complete && stage.unrestoredTasks == 0
        var accounting = stage.accounting
        accounting += before.costs
        return StageReport(
            name: stage.node.name, type: stage.signature.name,
            status: isComplete ? .ok : stage.phase == .failed ? .failed : .pending,
            executed: executed, cached: stage.cached + stage.executed - executed, accounting: accounting,
            seconds: stage.seconds + before.seconds, outputs: stage.phase == .complete ? stage.outputs : [:])
    }

    /// The history with this run's completed stages. A whole pipeline forgets stages it no longer has.
    func history() -> RunHistory {
        state.withLock { state in
            var history = explainer.history
            if pipeline.targets == nil { history.keep(stages: Set(pipeline.stages.map(\.name))) }
            for (index, stage) in state.machine.stages.enumerated() where stage.phase == .complete {
                if let key = stage.key { history.record(key, of: stage.node.name) }
                let report = report(index, state)
                if report.executed > 0 {
                    history.seconds[stage.node.name] = report.seconds / Double(report.executed)
                }
            }
            return history
        }
    }

    func plan() -> Plan {
        state.withLock { state in
            Plan(
                pipeline: pipeline.name,
                stages: state.machine.stages.enumerated().map { index, stage in
                    let toRun = (stage.tasks ?? []).enumerated().compactMap { task, taskState in
                        taskState.status == .wouldRun
                            ? Plan.PlannedAction(
                                prefix: taskState.prefix, reasons: reasons(ActionID(stage: index, task: task), state))
                            : nil
                    }
                    let waitsFor = stage.inputs.map(\.source).filter { state.machine.stages[$0].phase != .complete }
                    let names = Set(waitsFor).sorted().map { state.machine.stages[$0].node.name }
                    let isDecided =
                        stage.phase == .complete || !(stage.tasks?.contains { $0.status == .waiting } ?? true)
                    let problem = state.failures.first { $0.stage == stage.node.name }?.message
                    return Plan.PlannedStage(
                        name: stage.node.name, type: stage.signature.name, cached: stage.cached, toRun: toRun,
                        decidedAfter: isDecided ? [] : names, problem: problem,
                        outputs: stage.phase == .complete && stage.unrestoredTasks == 0 ? stage.outputs : nil,
                        sources: stage.sources, programs: stage.programs)
                })
        }
    }
}

extension Run {
    private func reasons(_ id: ActionID, _ state: State) -> [Reason] {
        state.machine.stages[id.stage].tasks![id.task].isRestoring
            ? [.resultLost(missing: state.machine.lostOutputs(of: id))] : state.reasons[id] ?? []
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
