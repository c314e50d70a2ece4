/// A question that a family has understood, ready to be answered right or wrong.
public protocol QuestionReading: Sendable {
    /// The family's name.
    var task: String { get }

    /// The right chain of thought. Nil when the question has no answer, as when none of its options is right.
    func answer(wording: Wording) -> Derivation?

    /// A wrong chain of thought; see ``TaskFamily/mistakenDerivation(of:wording:seed:share:target:)``.
    func mistakenAnswer(wording: Wording, seed: UInt64, target: ((String) -> Bool)?) -> Derivation?

    /// What is known of two chains of thought on the question; see ``PairTruth``. Nil when the family did not write
    /// them, both in one wording and the second with one mistake.
    func truth(correct: String, wrong: String) -> PairTruth?
}

struct FamilyReading<Family: TaskFamily>: QuestionReading {
    let family: Family
    let problem: Family.Problem
    private let question: String

    /// Nil when the text is no question of the family.
    init?(_ question: String, by family: Family) {
        guard let problem = family.problem(from: question) else { return nil }
        self.family = family
        self.problem = problem
        self.question = question
    }

    var task: String { family.name }

    func answer(wording: Wording) -> Derivation? { family.derive(problem, wording: wording) }

    func mistakenAnswer(wording: Wording, seed: UInt64, target: ((String) -> Bool)?) -> Derivation? {
        family.mistakenDerivation(of: problem, wording: wording, seed: seed, target: target)
    }

    func truth(correct: String, wrong: String) -> PairTruth? {
        family.truth(of: problem, question: question, correct: correct, wrong: wrong)
    }
}
