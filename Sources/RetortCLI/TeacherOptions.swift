import ArgumentParser
import LedgerSharing
import StageGraph
import Stages
import Teachers

/// What a run may spend on teachers, and what it asks them again.
struct TeacherOptions: ParsableArguments {
    @Option(
        name: .customLong("max-calls"),
        help: "Stop before more than this many teacher requests are sent in this run, repeated attempts included.")
    var maxCalls: Int?

    @Option(
        name: .customLong("max-cost"),
        help: "Stop before this run can cost more than this many US dollars, at the prices in the pipeline file.")
    var maxCost: Double?

    @Option(
        name: .customLong("retry-finish-reason"),
        help: ArgumentHelp(
            "Ask again for known answers that ended so, such as length; may be given several times.",
            valueName: "reason"))
    var retryFinishReasons: [String] = []

    func validate() throws {
        if let maxCalls, maxCalls < 0 { throw ValidationError("--max-calls takes a number of at least 0") }
        if let maxCost, !(maxCost >= 0 && maxCost.isFinite) {
            throw ValidationError("--max-cost takes a number of at least 0")
        }
        if retryFinishReasons.contains("") {
            throw ValidationError("--retry-finish-reason takes a word such as length")
        }
    }

    /// The stages that look at their answers again, although their results are known.
    func refreshed(_ pipeline: Pipeline) -> Set<String> {
        retryFinishReasons.isEmpty ? [] : Set(pipeline.stages.filter { $0.stage is any TeachingStage }.map(\.name))
    }

    /// Makes the options hold for the stages of this process.
    ///
    /// - Parameter team: what colleagues have paid for is taken over before the first call.
    func apply(team: TeamLedger?) {
        TeacherSession.use(
            TeacherSession(
                spending: SpendingLimit(maxCalls: maxCalls, maxCost: maxCost),
                retryFinishReasons: retryFinishReasons, beforeFirstCall: { await team?.pull() }))
    }
}
