import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import SyntheticTasks

/// Whether alignment finds the key steps: every mode and granularity against pairs of which it is known where they go
/// wrong.
struct KeyStepStudy: Stage {
    static let signature = StageSignature(
        "key-step-study", version: 1, .reduce,
        "Holds the key tokens of every mode and granularity against the known mistakes of pairs.",
        parameters: [
            Parameter("title", .string, default: "Key steps against known mistakes", "The heading of the report."),
            StudentPrompt.parameter,
        ],
        inputs: [
            InputPort(
                "duals", .dualPairs, distribution: .whole,
                "Pairs whose wrong side has its mistakes marked; others are dropped."),
            InputPort(
                "tokenizer", .tokenizer, distribution: .whole, arity: .optional,
                "A tokenizer directory; without it the tokens are words."),
        ],
        outputs: [
            OutputPort("agreement", .keyStepAgreement, "A row for each truth, group of pairs and method."),
            OutputPort("report", .report, layout: .tree, "Precision and recall as tables: report.md and report.json."),
        ])

    private let title: String
    private let prompt: StudentPrompt

    init(_ parameters: StageParameters) throws {
        title = parameters.string("title")
        prompt = try StudentPrompt(parameters)
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let duals = try context.records("duals", as: DualPair.self)
        let tokenizer = try context.roles(of: "tokenizer").first.map {
            try StudentTokenizer(directory: context.directory($0))
        }
        var accounting = Accounting(recordsIn: duals.count)
        var table = KeyStepTable()
        for dual in duals {
            let truths = KeyStepTruth.truths(of: dual)
            guard !truths.isEmpty else {
                accounting.drop("no-known-mistake")
                continue
            }
            accounting.recordsOut += 1
            let (correct, wrong) = tokens(dual, tokenizer)
            for method in AlignmentMethod.all {
                let alignment = TokenAlignment(correct: correct, wrong: wrong, method: method)
                for (name, truth) in truths {
                    table.add(
                        alignment, method, correct: correct, wrong: wrong, truth: truth, named: name, task: dual.task)
                }
            }
        }
        try context.write(table.rows, to: "agreement")
        try ReportDirectory(context).write(
            markdown: table.markdown(title: title), json: .array(table.rows.map(\.json)), to: "report")
        return accounting
    }

    private func tokens(
        _ dual: DualPair, _ tokenizer: StudentTokenizer?
    ) -> (correct: TokenizedText, wrong: TokenizedText) {
        guard let tokenizer else { return TokenizedText.words(correct: dual.correctCoT, wrong: dual.wrongCoT) }
        return (
            tokenizer.completion(of: dual.correctCoT, after: prompt),
            tokenizer.completion(of: dual.wrongCoT, after: prompt)
        )
    }
}

extension KeyStepTruth {
    /// What is known of a pair, by name: the marked mistakes, of the wrong side; and of a pair of a synthetic family
    /// both sides of the mistaken value, and all values that read differently.
    static func truths(of dual: DualPair) -> [(name: String, truth: KeyStepTruth)] {
        guard let mistakes = dual.mistakes, !mistakes.isEmpty else { return [] }
        var truths = [("the mistake", KeyStepTruth(wrong: mistakes.map(\.span)))]
        if let known = TaskCatalog.read(dual.question)?.truth(correct: dual.correctCoT, wrong: dual.wrongCoT) {
            truths.append(
                ("the mistaken value", KeyStepTruth(correct: known.mistake.correct, wrong: known.mistake.wrong)))
            truths.append(
                ("all values that differ", KeyStepTruth(correct: known.values.correct, wrong: known.values.wrong)))
        }
        return truths
    }
}
