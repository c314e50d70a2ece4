/// Decides whether a response concludes with the gold answer: the one judge of filtering and evaluation.
///
/// A response's answer is what follows its last conclusion ("the answer is …", see ``Conclusion``), read in the form
/// the gold answer has (``AnswerForm``): an option letter, one of a pair such as yes and no, a number, a date, closing
/// brackets, or words. A response whose answer cannot be found is never correct.
///
/// On the published code-davinci-002 outputs for BIG-Bench Hard this gives the published exact-match accuracy of each
/// of the 27 tasks.
public enum AnswerVerifier {
    /// Raised whenever any verdict may change; part of the action key of every stage that verifies.
    public static let version = 1

    /// What the verifier found in a response.
    public struct Verdict: Sendable, Hashable {
        /// The answer in normal form: `(B)`, `Yes`, `-12.5`, `05/06/1992`, `] )`, `alpha beta`. An answer of another
        /// form than the gold's is given in its own words. Nil when there is none.
        public var predicted: String?
        /// The answer equals the gold answer.
        public var correct: Bool

        public init(predicted: String?, correct: Bool) {
            self.predicted = predicted
            self.correct = correct
        }
    }

    /// Judges a response.
    ///
    /// - Complexity: O(length of the response).
    public static func verify(_ response: String, gold: String) -> Verdict {
        guard let conclusion = Conclusion.last(in: response) else { return Verdict(predicted: nil, correct: false) }
        return judge(conclusion, gold: gold)
    }

    /// Judges an answer that stands alone, without "the answer is" before it.
    public static func verify(answer: String, gold: String) -> Verdict {
        judge(Conclusion(following: answer), gold: gold)
    }

    /// The answer in its own words: the first line after the last conclusion without emphasis, quotes and the full
    /// stop. Nil when the response has no conclusion or nothing follows it.
    public static func extract(from response: String) -> String? {
        Conclusion.last(in: response).flatMap(AnswerForm.sentence)
    }

    private static func judge(_ conclusion: Conclusion, gold: String) -> Verdict {
        guard let words = AnswerForm.sentence(conclusion) else { return Verdict(predicted: nil, correct: false) }
        let form = AnswerForm(of: gold)
        guard let expected = form.read(Conclusion(following: gold)), let answer = form.read(conclusion) else {
            return Verdict(predicted: words, correct: false)
        }
        return Verdict(predicted: answer, correct: answer.utf8.elementsEqual(expected.utf8))
    }
}
