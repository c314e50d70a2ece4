import CanonicalJSON
import Reasoning

/// A row of the study: one method, held against one kind of truth over one group of pairs.
struct KeyStepRow: Record {
    static let artifactType = "key-step-agreement/1"

    var id: String { "\(truth)/\(group)/\(method)" }
    /// Such as `the mistake`.
    let truth: String
    /// `all` or `task:NAME`.
    let group: String
    /// ``Reasoning/AlignmentMethod/name``.
    let method: String
    let pairs: Int
    let keyShare: Double
    let trueShare: Double
    let precision: Double
    let recall: Double
    let f1: Double
    let found: Double
    let firstBefore: Double
    let firstWithin: Double
    let firstAfter: Double
    let firstInStep: Double
    let medianStepOffset: Int

    init(truth: String, group: String, method: AlignmentMethod, _ agreement: KeyStepAgreement) {
        self.truth = truth
        self.group = group
        self.method = method.name
        pairs = agreement.pairs
        (keyShare, trueShare) = (agreement.keyShare, agreement.trueShare)
        (precision, recall, f1) = (agreement.precision, agreement.recall, agreement.f1)
        found = agreement.found
        firstBefore = agreement.first(.before)
        firstWithin = agreement.first(.within)
        firstAfter = agreement.first(.after)
        firstInStep = agreement.firstInStep
        medianStepOffset = agreement.medianStepOffset
    }

    init(json: JSONObject) throws(JSONFieldError) {
        truth = try json.string("truth")
        group = try json.string("group")
        method = try json.string("method")
        pairs = try json.integer("pairs")
        (keyShare, trueShare) = (try json.double("key_share"), try json.double("true_share"))
        (precision, recall, f1) = (try json.double("precision"), try json.double("recall"), try json.double("f1"))
        found = try json.double("found")
        firstBefore = try json.double("first_before")
        firstWithin = try json.double("first_within")
        firstAfter = try json.double("first_after")
        firstInStep = try json.double("first_in_step")
        medianStepOffset = try json.integer("median_step_offset")
    }

    var json: JSON {
        [
            "id": .string(id), "truth": .string(truth), "group": .string(group), "method": .string(method),
            "pairs": .integer(Int64(pairs)), "key_share": .number(keyShare), "true_share": .number(trueShare),
            "precision": .number(precision), "recall": .number(recall), "f1": .number(f1), "found": .number(found),
            "first_before": .number(firstBefore), "first_within": .number(firstWithin),
            "first_after": .number(firstAfter), "first_in_step": .number(firstInStep),
            "median_step_offset": .integer(Int64(medianStepOffset)),
        ]
    }
}

/// The agreement of all methods, by truth and group.
struct KeyStepTable {
    private struct Key: Hashable {
        let truth: String
        let group: String
        let method: AlignmentMethod
    }

    private var agreements: [Key: KeyStepAgreement] = [:]
    /// In the order in which they came up.
    private var truths: [String] = []
    private var tasks: Set<String> = []

    mutating func add(
        _ alignment: TokenAlignment, _ method: AlignmentMethod, correct: TokenizedText, wrong: TokenizedText,
        truth: KeyStepTruth, named name: String, task: String
    ) {
        if !truths.contains(name) { truths.append(name) }
        tasks.insert(task)
        for group in ["all", "task:\(task)"] {
            agreements[Key(truth: name, group: group, method: method), default: KeyStepAgreement()]
                .add(alignment, correct: correct, wrong: wrong, truth: truth)
        }
    }

    /// All pairs first, then the tasks in the order of their names' bytes; methods in the order of
    /// ``Reasoning/AlignmentMethod/all``.
    var rows: [KeyStepRow] {
        let names = tasks.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        return truths.sorted().flatMap { truth in
            (["all"] + names.map { "task:\($0)" }).flatMap { group in
                AlignmentMethod.all.compactMap { method in
                    agreements[Key(truth: truth, group: group, method: method)].map {
                        KeyStepRow(truth: truth, group: group, method: method, $0)
                    }
                }
            }
        }
    }

    func markdown(title: String) -> String {
        var lines = ["# \(title)"]
        let rows = rows
        for truth in truths {
            let all = rows.filter { $0.truth == truth && $0.group == "all" }
            lines += ["", "Known: \(truth), in \(all.first?.pairs ?? 0) pairs.", ""]
            lines +=
                MarkdownTable(
                    header: ["method", "key tokens", "true tokens", "precision", "recall", "F1", "pairs found"],
                    rows: all.map { row in
                        [row.method]
                            + [row.keyShare, row.trueShare, row.precision, row.recall, row.f1, row.found]
                            .map(Percentage.text)
                    }
                ).lines
            guard truth == truths.first else { continue }
            lines += ["", "The first difference, seen from the first known mistake:", ""]
            lines +=
                MarkdownTable(
                    header: ["method", "before it", "in it", "after it", "in its step", "steps off, median"],
                    rows: all.map { row in
                        [row.method]
                            + [row.firstBefore, row.firstWithin, row.firstAfter, row.firstInStep]
                            .map(Percentage.text) + ["\(row.medianStepOffset)"]
                    }
                ).lines
        }
        guard let truth = truths.last else { return lines.joined(separator: "\n") + "\n" }
        lines += ["", "By task, mode and granularity at their defaults; known: \(truth).", ""]
        lines +=
            MarkdownTable(
                header: ["task", "pairs", "key tokens", "true tokens", "precision", "recall", "F1"],
                rows: rows.filter {
                    $0.truth == truth && $0.group != "all" && $0.method == AlignmentMethod.all[0].name
                }.map { row in
                    [String(row.group.dropFirst("task:".count)), "\(row.pairs)"]
                        + [row.keyShare, row.trueShare, row.precision, row.recall, row.f1].map(Percentage.text)
                }
            ).lines
        return lines.joined(separator: "\n") + "\n"
    }
}
