import Reasoning
import StageGraph
import Teachers

/// A stage that asks a teacher.
public protocol TeachingStage: Stage {}

/// What is needed to say beforehand what a teaching stage will ask.
protocol AskingStage: TeachingStage {
    static var promptKind: Prompt.Kind { get }
    var settings: TeacherSettings { get }

    /// What it asks about, from its inputs.
    func assignments(_ context: any ActionContext) throws -> [TeachingRun.Assignment]
}

extension AskingStage {
    /// The first request about each record that an action of this stage makes.
    func requests(_ context: any ActionContext) throws -> [TeacherRequest] {
        let run = try TeachingRun(context, Self.promptKind, settings)
        return try assignments(context).map { run.request($0) }
    }
}
