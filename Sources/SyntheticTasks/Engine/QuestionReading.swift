/// A question that a family has understood, ready to be answered right or wrong.
public protocol QuestionReading: Sendable {
    /// The family's name.
    var task: String { get }

    /// The right chain of thought. Nil when the question has no answer, as when none of its options is right.
    func answer(wording: Wording) -> Derivation?

    /// A wrong chain of thought; see ``TaskFamily/mistakenDerivation(of:wording:seed:share:target:)``.
    func mistakenAnswer(wording: Wording, seed: UInt64, target: ((String) -> Bool)?) -> Derivation?
}

struct FamilyReading<Family: TaskFamily>: QuestionReading {
    let family: Family
    let problem: Family.Problem

    /// Nil when the text is no question of the family.
    init?(_ question: String, by family: Family) {
        guard let problem = family.problem(from: question) else { return nil }
        self.family = family
        self.problem = problem
    }

    var task: String { family.name }

    func answer(wording: Wording) -> Derivation? { family.derive(problem, wording: wording) }

    func mistakenAnswer(wording: Wording, seed: UInt64, target: ((String) -> Bool)?) -> Derivation? {
        family.mistakenDerivation(of: problem, wording: wording, seed: seed, target: target)
    }
}
