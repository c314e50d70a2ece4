import CanonicalJSON
import Reasoning
import StageGraph
import Teachers

/// A stage that asks a teacher.
public protocol TeachingStage: Stage {}

/// A stage that asks a teacher one question about each record of its input, and writes the answers.
protocol AskingStage: TeachingStage {
    static var promptKind: Prompt.Kind { get }
    /// Which chains of thought come out of it.
    static var origin: ChainOfThought.Origin { get }
    var settings: TeacherSettings { get }

    /// What it asks about, from its inputs.
    func assignments(_ context: any ActionContext) throws -> [TeachingRun.Assignment]

    /// The answers by the outputs they go to.
    func outputs(_ cots: [ChainOfThought]) -> [(port: String, cots: [ChainOfThought])]
}

extension AskingStage {
    var resources: Resources { settings.resources }
    var programs: [String] { Self.signature.programs + settings.programs }

    func run(_ context: any ActionContext) async throws -> Accounting {
        let answers = try await questions(context).answers()
        return try write(answers, context)
    }

    // This function and the next are kept out of `run`: where errors of code that does not wait are thrown within a
    // function that does, the optimizer of Swift 6.3 can crash over the error's place while it splits the function.
    @inline(never)
    private func questions(_ context: any ActionContext) throws -> Questions {
        try TeachingRun(context, Self.promptKind, settings).about(assignments(context), Self.origin)
    }

    @inline(never)
    private func write(_ answers: TeachingRun.Answers, _ context: any ActionContext) throws -> Accounting {
        for output in outputs(answers.cots) { try context.write(output.cots, to: output.port) }
        return answers.accounting
    }

    /// The first request about each record that an action of this stage makes.
    func requests(_ context: any ActionContext) throws -> [TeacherRequest] {
        let run = try TeachingRun(context, Self.promptKind, settings)
        return try assignments(context).map { run.request($0) }
    }
}
