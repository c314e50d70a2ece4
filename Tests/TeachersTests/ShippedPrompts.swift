import Foundation
import Reasoning
import SyntheticTasks

@testable import Teachers

/// The prompts in pipelines/prompts.
enum ShippedPrompts {
    static func load(_ kind: Prompt.Kind) throws -> Prompt {
        let file =
            switch kind {
            case .extraction: "cot-extraction.txt"
            case .hint: "answer-hint.txt"
            case .contrastive: "contrastive.txt"
            }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = root.appending(path: "pipelines/prompts/\(file)")
        return try Prompt(kind, text: String(contentsOf: path, encoding: .utf8), file: file)
    }

    static func request(_ kind: Prompt.Kind, _ subject: Prompt.Subject, sample: Int = 0) throws -> TeacherRequest {
        TeacherRequest(id: "q", messages: try load(kind).messages(for: subject), sampleIndex: sample)
    }
}

/// Twelve families at four levels, a few questions of each.
func sampleQuestions(_ count: Int, levels: [Int] = [1, 2, 3, 4], seed: UInt64 = 9) throws -> [Question] {
    try QuestionSet(families: TaskCatalog.names, levels: levels, seed: seed).questions(count: count)
}

/// A teacher that never fails on purpose, but errs at the given rate.
func obedientTeacher(errorRate: Double, seed: UInt64 = 1) -> SyntheticTeacher {
    SyntheticTeacher(
        SyntheticTeacherParameters(
            seed: seed, errorRate: errorRate, unansweredRate: 0, failedRectificationRate: 0, hintLeakRate: 0,
            rephrasingRate: 0, refusalRate: 0, identicalRate: 0))
}
