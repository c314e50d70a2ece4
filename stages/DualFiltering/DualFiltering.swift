import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Makes dual chains of thought (EDIT §3.1): D⁺_dual pairs a right sample with its corruption, D⁻_dual a rectified
/// rationale with the wrong sample. Both conclusions are verified.
///
/// Every sampled chain of thought is a candidate; it becomes a pair or is dropped for one reason.
struct DualFiltering: Stage {
    static let signature = StageSignature(
        "dual-filtering", version: 1, .map, "Pairs right and wrong chains of thought on the same question.",
        parameters: [
            Parameter(
                "max-differing-share", .fraction, default: 0.6,
                "Share of differing words above which a pair is too dissimilar."),
            Parameter(
                "max-words", .positiveInteger, default: 1024, "Words of the longer side above which a pair is too long."
            ),
        ],
        inputs: [
            InputPort("correct", .cots, "D⁺: samples that were right at first."),
            InputPort("wrong", .cots, "D⁻: samples that were wrong at first."),
            InputPort("rectified", .cots, arity: .optional, "D⁻⁺: rationales for the wrong ones, given the answer."),
            InputPort("corrupted", .cots, arity: .optional, "D⁺⁻: wrong variants of the right ones."),
        ],
        outputs: [OutputPort("duals", .dualPairs, "D_dual = D⁺_dual ∪ D⁻_dual.")])

    private let maxDifferingShare: Double
    private let maxWords: Int

    init(_ parameters: StageParameters) {
        maxDifferingShare = parameters.double("max-differing-share")
        maxWords = parameters.integer("max-words")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let correct = try context.records("correct", as: ChainOfThought.self)
        let wrong = try context.records("wrong", as: ChainOfThought.self)
        let rectified = try byID(context, "rectified")
        let corrupted = try byID(context, "corrupted")
        var accounting = Accounting(recordsIn: correct.count + wrong.count)
        var pairs: [DualPair] = []
        let candidates =
            correct.map { pair($0, corruptedBy: corrupted[Array($0.id.utf8)]) }
            + wrong.map { pair($0, rectifiedBy: rectified[Array($0.id.utf8)]) }
        for candidate in candidates {
            switch candidate {
            case .success(let pair): pairs.append(pair)
            case .failure(let reason): accounting.drop(reason.rawValue)
            }
        }
        accounting.recordsOut = pairs.count
        try context.write(pairs, to: "duals")
        return accounting
    }

    /// Why a sample makes no pair.
    private enum Drop: String, Error {
        case unparsedAnswer = "unparsed-answer"
        case notRectified = "not-rectified"
        case notCorrupted = "not-corrupted"
        case hintLeaked = "hint-leaked"
        case identical
        case tooDissimilar = "too-dissimilar"
        case tooLong = "too-long"
    }

    private func byID(_ context: any ActionContext, _ port: String) throws -> [[UInt8]: ChainOfThought] {
        Dictionary(
            try context.records(ofPort: port, as: ChainOfThought.self).map { (Array($0.id.utf8), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    private func pair(_ sample: ChainOfThought, corruptedBy corrupted: ChainOfThought?) -> Result<DualPair, Drop> {
        guard let corrupted else { return .failure(.notCorrupted) }
        guard corrupted.predicted != nil else { return .failure(.unparsedAnswer) }
        guard !corrupted.correct else {
            return .failure(corrupted.cot.utf8.elementsEqual(sample.cot.utf8) ? .identical : .notCorrupted)
        }
        return pair(right: sample, wrong: corrupted, .correctFirst)
    }

    private func pair(_ sample: ChainOfThought, rectifiedBy rectified: ChainOfThought?) -> Result<DualPair, Drop> {
        guard sample.predicted != nil else { return .failure(.unparsedAnswer) }
        guard let rectified, rectified.correct else { return .failure(.notRectified) }
        guard rectified.hintLeaked != true else { return .failure(.hintLeaked) }
        return pair(right: rectified, wrong: sample, .wrongFirst)
    }

    private func pair(
        right: ChainOfThought, wrong: ChainOfThought, _ origin: DualPair.Origin
    ) -> Result<DualPair, Drop> {
        guard let rightAnswer = right.predicted, let wrongAnswer = wrong.predicted else {
            return .failure(.unparsedAnswer)
        }
        guard !right.cot.utf8.elementsEqual(wrong.cot.utf8) else { return .failure(.identical) }
        guard max(wordCount(right.cot), wordCount(wrong.cot)) <= maxWords else { return .failure(.tooLong) }
        let share = WordDifference(right.cot, wrong.cot).share
        guard share <= maxDifferingShare else { return .failure(.tooDissimilar) }
        return .success(
            DualPair(
                id: right.id, task: right.task, question: right.question, answer: right.answer,
                correctCoT: right.cot, wrongCoT: wrong.cot, correctPredicted: rightAnswer,
                wrongPredicted: wrongAnswer, origin: origin, differingShare: share, mistakes: wrong.mistakes))
    }

    private func wordCount(_ text: String) -> Int {
        text.unicodeScalars.split { $0.properties.isWhitespace }.count
    }
}
