import CanonicalJSON
import StageGraph
import TeacherClients
import Teachers

/// Which teacher a stage asks, and how.
struct TeacherSettings {
    static let parameters = [
        Parameter(
            "teacher",
            .variant(
                tag: "kind",
                cases: [
                    (
                        "synthetic",
                        [
                            Parameter("seed", .nonNegativeInteger, default: 0, "Another seed makes other mistakes."),
                            rate("error-rate", 0.25, "Questions answered wrong at first."),
                            rate("unanswered-rate", 0.01, "Answers that break off before the conclusion."),
                            rate("failed-rectification-rate", 0.05, "Hints that do not help."),
                            rate("hint-leak-rate", 0.03, "Rationales that mention the hint."),
                            rate("rephrasing-rate", 0.02, "Rationales in other words than the first answer's."),
                            rate("refusal-rate", 0.03, "Corruptions that are refused."),
                            rate("identical-rate", 0.02, "Corruptions that repeat the right response."),
                        ]
                    ),
                    (
                        "recorded",
                        [
                            Parameter("path", .file, "A JSON Lines file with an answer for each id, plain or .zst."),
                            Parameter("id-field", .string, default: "id", "The column with the question's id."),
                            Parameter("cot-field", .string, default: "cot", "The column with the chain of thought."),
                        ]
                    ),
                    ("openai", ChatTeacherParameters.declared),
                    ("checkpoint", CheckpointTeacher.Settings.declared),
                ]), "Who answers."),
        Parameter("temperature", .number(0...2), default: 0.2, "Sampling temperature."),
        Parameter("top-p", .fraction, default: 1, "Nucleus sampling."),
        Parameter("max-tokens", .positiveInteger, default: 2048, "New tokens, at most."),
        Parameter(
            "sampling-seed", .anyInteger, default: .null, "The seed sent to the teacher; sample i gets the seed plus i."
        ),
        Parameter("stop", .list(.string), default: [], "Texts that end an answer."),
        Parameter(
            "samples", .positiveInteger, default: 1,
            "Answers to a question, at most: further ones are asked for until one is of use."),
    ]

    private static func rate(_ name: String, _ value: Double, _ summary: String) -> Parameter {
        Parameter(name, .fraction, default: .number(value), summary)
    }

    private let teacher: JSONObject
    /// Set for a teacher behind an API.
    let chat: ChatTeacherParameters?
    /// Set for a teacher that is a checkpoint.
    let checkpoint: CheckpointTeacher.Settings?
    let sampling: SamplingParameters
    /// Answers to a question, at most.
    let samples: Int

    /// - Throws: ``InvalidParameters``.
    init(_ parameters: StageParameters) throws {
        teacher = parameters["teacher"].object!
        chat = teacher["kind"]?.string == "openai" ? try ChatTeacherParameters(declared: teacher) : nil
        checkpoint = teacher["kind"]?.string == "checkpoint" ? CheckpointTeacher.Settings(declared: teacher) : nil
        samples = parameters.integer("samples")
        sampling = SamplingParameters(
            temperature: parameters.double("temperature"), topP: parameters.double("top-p"),
            maxTokens: parameters.integer("max-tokens"), seed: parameters.optionalInteger("sampling-seed"),
            stop: parameters.strings("stop"))
    }

    /// Whether answers are read from a file, and cost nothing.
    var isRecorded: Bool { teacher["kind"]?.string == "recorded" }

    /// A teacher that is only asked who it is.
    ///
    /// - Throws: ``DataFileError`` or a file's error when a checkpoint cannot be told.
    func identityOnly(_ context: any ActionContext) throws -> any Teacher {
        if let checkpoint { return try CheckpointTeacher(checkpoint, context: context) }
        if let chat { return ChatTeacher(chat, service: ServiceRegistry().service(chat)) }
        precondition(!isRecorded, "recorded teachers make no calls")
        return SyntheticTeacher(SyntheticTeacherParameters(declared: teacher))
    }

    /// An action that waits for an API needs no CPU. How many requests are under way is the endpoint's budget, which all
    /// actions share, not the number of actions.
    var resources: Resources {
        if let checkpoint { return checkpoint.execution.resources }
        return chat == nil ? Resources() : Resources(cpuSlots: 0, networkCalls: 1)
    }

    /// A checkpoint answers in the worker.
    var programs: [String] { checkpoint == nil ? [] : [StudentProcess.program] }

    /// - Throws: ``DataFileError`` or a recording error naming file and line.
    func makeTeacher(_ context: any ActionContext, _ session: TeacherSession) throws -> any Teacher {
        if let checkpoint { return try CheckpointTeacher(checkpoint, context: context) }
        if let chat {
            let surroundings = ChatTeacher.Surroundings(
                spending: session.spending, stop: session.stop(of: context.stageName),
                onRemark: { context.report(JSONObject([("warning", .string($0))])) })
            let service = session.services.service(chat)
            return switch chat.mode {
            case .chat: ChatTeacher(chat, service: service, surroundings: surroundings)
            case .batch: BatchChatTeacher(chat, service: service, surroundings: surroundings)
            }
        }
        guard isRecorded else { return SyntheticTeacher(SyntheticTeacherParameters(declared: teacher)) }
        let recordings = try SourceBytes.plain(context, role: "teacher.path")
        return try RecordedTeacher(
            jsonLines: recordings, file: context.source("teacher.path").written,
            fields: RecordedTeacher.Fields(
                id: try teacher.string("id-field"), cot: try teacher.string("cot-field")))
    }
}
