import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// What came of a run, as values.
extension Run {
    func report(seconds: Double) -> RunReport {
        state.withLock { state in
            let stages = state.machine.stages.map { report($0) }
            let isDone = stages.allSatisfy { $0.status == .ok }
            let problems = state.machine.stages.compactMap { stage in
                stage.problem.map { RunFailure(stage: stage.node.name, prefix: nil, message: $0) }
            }
            return RunReport(
                pipeline: pipeline.name, status: isDone ? .ok : state.isCancelled ? .interrupted : .failed,
                seconds: seconds, stages: stages, failures: state.failures + problems)
        }
    }

    func report(_ stage: StageState) -> StageReport {
        StageReport(
            name: stage.node.name, type: stage.signature.name,
            status: stage.phase == .complete ? .ok : stage.phase == .failed ? .failed : .pending,
            executed: stage.executed, cached: stage.cached, accounting: stage.accounting, seconds: stage.seconds,
            outputs: stage.phase == .complete ? stage.outputs : [:])
    }

    /// The history with this run's completed stages.
    func history() -> RunHistory {
        state.withLock { state in
            var history = explainer.history
            for stage in state.machine.stages where stage.phase == .complete { history[stage.node.name] = stage.key }
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
                                prefix: taskState.prefix,
                                reasons: state.reasons[ActionID(stage: index, task: task)] ?? [])
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
                        outputs: stage.phase == .complete ? stage.outputs : nil)
                })
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
