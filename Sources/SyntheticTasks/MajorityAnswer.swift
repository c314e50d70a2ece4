import Reasoning

/// The commonest gold answer of a task: what a student scores that always gives it.
public struct MajorityAnswer: Sendable, Equatable {
    public let task: String
    public let answer: String
    /// Questions of the task with this answer.
    public let count: Int
    /// Questions of the task.
    public let total: Int

    /// `count / total`.
    public var accuracy: Double { Double(count) / Double(total) }

    /// For each task, by name; of equally common answers the one that sorts first. O(n log n).
    public static func byTask(_ questions: [Question]) -> [MajorityAnswer] {
        Dictionary(grouping: questions, by: \.task).map { task, questions in
            let counts = Dictionary(grouping: questions, by: \.answer).mapValues(\.count)
            let (answer, count) = counts.max { ($0.value, $1.key) < ($1.value, $0.key) } ?? ("", 0)
            return MajorityAnswer(task: task, answer: answer, count: count, total: questions.count)
        }
        .sorted { $0.task < $1.task }
    }

    /// The mean of the tasks' accuracies; 0 when there are none.
    public static func macroAverage(_ majorities: [MajorityAnswer]) -> Double {
        majorities.isEmpty ? 0 : majorities.map(\.accuracy).reduce(0, +) / Double(majorities.count)
    }
}
