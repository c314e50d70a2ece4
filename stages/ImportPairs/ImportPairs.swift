import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Dual chains of thought that exist already, from a JSON Lines file: both conclusions are verified again, and only
/// near-minimal pairs are kept.
///
/// A line may have `mistakes`, a list of `{"start":…,"end":…,"kind":…}` with UTF-8 byte offsets into its wrong chain of
/// thought; the kind may be left out.
struct ImportPairs: Stage {
    static let signature = StageSignature(
        "import-pairs", version: 2, .source,
        "Reads pairs of a right and a wrong chain of thought, and the wrong one's mistakes where the file marks them.",
        parameters: [
            Parameter("path", .file, "A JSON Lines file, plain or .zst."),
            Parameter(
                "fields", .dictionary(.string), default: [:],
                "Which column holds id, task, question, answer, correct_cot or wrong_cot."),
            Parameter(
                "max-differing-share", .fraction, default: 1,
                "Share of differing words above which a pair is too dissimilar."),
        ] + Parameter.sharding,
        outputs: [OutputPort("duals", .dualPairs, "The pairs that stand up.")])

    private static let fields = ["id", "task", "question", "answer", "correct_cot", "wrong_cot"]

    private let mapping: FieldMapping
    private let maxDifferingShare: Double
    private let limit: ShardLimit

    init(_ parameters: StageParameters) throws {
        mapping = FieldMapping(parameters["fields"])
        maxDifferingShare = parameters.double("max-differing-share")
        limit = parameters.shardLimit
        if let problem = mapping.problem(known: ImportPairs.fields) {
            throw InvalidParameters(problem.message, parameter: "fields")
        }
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let lines = try SourceLines(context, role: "path")
        var ids = UniqueIDs(file: lines.name)
        var accounting = Accounting()
        var pairs: [DualPair] = []
        try lines.read { line, object in
            accounting.recordsIn += 1
            let id: String
            let candidate: Result<DualPair, Drop>
            do throws(JSONFieldError) {
                id = try mapping.text("id", in: object)
                candidate = try pair(object, id: id)
            } catch {
                throw DataFileError(lines.name, line: line, "\(error)")
            }
            try ids.insert(id, line: line)
            switch candidate {
            case .success(let pair): pairs.append(pair)
            case .failure(let drop): accounting.drop(drop.rawValue)
            }
        }
        accounting.recordsOut = pairs.count
        try context.write(pairs, to: "duals", limit: limit)
        return accounting
    }

    private enum Drop: String, Error {
        case unparsedAnswer = "unparsed-answer"
        case rightSideWrong = "right-side-wrong"
        case wrongSideRight = "wrong-side-right"
        case identical
        case tooDissimilar = "too-dissimilar"
    }

    private func pair(_ object: JSONObject, id: String) throws(JSONFieldError) -> Result<DualPair, Drop> {
        let answer = try mapping.text("answer", in: object)
        let right = try mapping.text("correct_cot", in: object)
        let wrong = try mapping.text("wrong_cot", in: object)
        let mistakes = try Mistake.list(in: object, length: wrong.utf8.count)
        let rightVerdict = AnswerVerifier.verify(right, gold: answer)
        let wrongVerdict = AnswerVerifier.verify(wrong, gold: answer)
        guard let rightAnswer = rightVerdict.predicted, let wrongAnswer = wrongVerdict.predicted else {
            return .failure(.unparsedAnswer)
        }
        guard rightVerdict.correct else { return .failure(.rightSideWrong) }
        guard !wrongVerdict.correct else { return .failure(.wrongSideRight) }
        guard !right.utf8.elementsEqual(wrong.utf8) else { return .failure(.identical) }
        let share = WordDifference(right, wrong).share
        guard share <= maxDifferingShare else { return .failure(.tooDissimilar) }
        return .success(
            DualPair(
                id: id, task: try mapping.text("task", in: object), question: try mapping.text("question", in: object),
                answer: answer, correctCoT: right, wrongCoT: wrong, correctPredicted: rightAnswer,
                wrongPredicted: wrongAnswer, origin: .natural, differingShare: share,
                mistakes: mistakes))
    }
}
