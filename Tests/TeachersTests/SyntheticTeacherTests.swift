import CanonicalJSON
import Reasoning
import SyntheticTasks
import Testing

@testable import Teachers

@Suite("The synthetic teacher")
struct SyntheticTeacherTests {
    @Test("solves every question from the text of the extraction prompt", arguments: [1, 2, 3, 4])
    func solvesFromPrompt(level: Int) throws {
        let teacher = obedientTeacher(errorRate: 0)
        for question in try sampleQuestions(240, levels: [level], seed: UInt64(level)) {
            let subject = Prompt.Subject(question: question.question, taskDescription: question.taskDescription)
            let response = teacher.answer(try ShippedPrompts.request(.extraction, subject))
            #expect(AnswerVerifier.verify(response.text, gold: question.answer).correct, "\(response.text)")
            #expect(response.mistakes == [])
            #expect(response.finishReason == .stop)
        }
    }

    @Test("errs on every question when told to, at marked places")
    func errsEverywhere() throws {
        let teacher = obedientTeacher(errorRate: 1)
        var kinds: Set<Mistake.Kind> = []
        for question in try sampleQuestions(480) {
            let response = teacher.answer(
                try ShippedPrompts.request(.extraction, Prompt.Subject(question: question.question)))
            let verdict = AnswerVerifier.verify(response.text, gold: question.answer)
            #expect(!verdict.correct && verdict.predicted != nil, "\(response.text)")
            let mistake = try #require(response.mistakes?.first)
            #expect(mistake.span.upperBound <= response.text.utf8.count && !mistake.span.isEmpty)
            kinds.insert(mistake.kind)
        }
        #expect(kinds == [.logical, .knowledge, .calculation])
    }

    @Test("errs at its rate")
    func errsAtRate() throws {
        let teacher = obedientTeacher(errorRate: 0.25)
        let questions = try sampleQuestions(1000)
        let wrong = try questions.count { question in
            let request = try ShippedPrompts.request(.extraction, Prompt.Subject(question: question.question))
            return !AnswerVerifier.verify(teacher.answer(request).text, gold: question.answer).correct
        }
        #expect(210...290 ~= wrong, "\(wrong) of 1000")
    }

    @Test("repairs a wrong answer in its own wording when hinted")
    func rectifies() throws {
        let teacher = obedientTeacher(errorRate: 1)
        for sample in 0..<2 {
            for question in try sampleQuestions(480) {
                let subject = Prompt.Subject(question: question.question, answer: question.answer)
                let wrong = teacher.answer(try ShippedPrompts.request(.extraction, subject, sample: sample))
                let rectified = teacher.answer(try ShippedPrompts.request(.hint, subject, sample: sample))
                #expect(AnswerVerifier.verify(rectified.text, gold: question.answer).correct, "\(rectified.text)")
                #expect(rectified.mistakes == [])
                let share = wordShare(wrong.text, rectified.text)
                #expect(share > 0 && share < 0.6, "\(wrong.text)\n\(rectified.text)")
            }
        }
    }

    @Test("follows a wrong hint where one mistake leads to it, and ignores it otherwise")
    func followsWrongHint() throws {
        let teacher = obedientTeacher(errorRate: 0)
        let question = "( 2 + 3 ) * 2 ="
        let near = teacher.answer(
            try ShippedPrompts.request(.hint, Prompt.Subject(question: question, answer: "12")))
        #expect(AnswerVerifier.verify(near.text, gold: "12").correct, "\(near.text)")
        #expect(near.mistakes?.count == 1)
        let far = teacher.answer(
            try ShippedPrompts.request(.hint, Prompt.Subject(question: question, answer: "4711")))
        #expect(AnswerVerifier.verify(far.text, gold: "10").correct, "\(far.text)")
    }

    @Test("corrupts a right response near-minimally, and knows where")
    func corrupts() throws {
        let teacher = obedientTeacher(errorRate: 0)
        var shares: [Double] = []
        for question in try sampleQuestions(480) {
            let right = teacher.answer(
                try ShippedPrompts.request(.extraction, Prompt.Subject(question: question.question), sample: 3))
            let demonstration = Demonstration(
                id: "d", task: "boolean_expressions", question: "True and False is",
                rightResponse: "True and False = False. Therefore, the answer is False.",
                wrongResponse: "True and False = True. Therefore, the answer is True.")
            let subject = Prompt.Subject(
                question: question.question, cot: right.text, demonstrations: [demonstration, demonstration])
            let corrupted = teacher.answer(try ShippedPrompts.request(.contrastive, subject))
            let verdict = AnswerVerifier.verify(corrupted.text, gold: question.answer)
            #expect(!verdict.correct && verdict.predicted != nil, "\(corrupted.text)")
            #expect(corrupted.mistakes?.count == 1)
            shares.append(wordShare(right.text, corrupted.text))
        }
        #expect(shares.allSatisfy { $0 > 0 && $0 < 0.6 }, "\(shares.max() ?? 0)")
        let mean = shares.reduce(0, +) / Double(shares.count)
        #expect(0.05...0.25 ~= mean, "\(mean)")
    }

    @Test("is not confused by the examples of a prompt")
    func answersLastQuestion() throws {
        let content = """
            Q: 1 + 1 =
            H: The correct answer is 2.
            A: Let's think step by step.
            1 + 1 = 2. Therefore, the answer is 2.

            Q: 2 + 3 =
            A: Let's think step by step.
            """
        let response = obedientTeacher(errorRate: 0).answer(TeacherRequest(id: "q", messages: [.user(content)]))
        #expect(AnswerVerifier.verify(response.text, gold: "5").correct)
        let reading = PromptReading([.user(content)])
        #expect(reading.question == "2 + 3 =" && reading.request == .answer)
    }

    @Test("reads a hint of any form")
    func readsHints() {
        for answer in ["(B)", "] )", "3.5", "apple pear", "05/06/2020", "Yes"] {
            let reading = PromptReading([.user("Q: x\nOptions:\n(A) y\nH: The correct answer is \(answer).\nA: Go.")])
            #expect(reading.question == "x\nOptions:\n(A) y")
            #expect(reading.request == .answerWithHint(answer))
        }
    }

    @Test("takes a message without any mark as the question")
    func readsBareQuestions() {
        let reading = PromptReading([
            ChatMessage(role: .system, content: "Q: no"), .user("2 + 3 ="), ChatMessage(role: .assistant, content: "5"),
        ])
        #expect(reading.question == "2 + 3 =" && reading.request == .answer)
    }

    @Test("admits that it cannot answer, without a conclusion")
    func admitsIgnorance() throws {
        for kind in Prompt.Kind.allCases {
            let subject = Prompt.Subject(
                question: "Who wrote Faust?", answer: "Goethe", cot: "Therefore, the answer is Goethe.")
            let response = SyntheticTeacher().answer(try ShippedPrompts.request(kind, subject))
            #expect(AnswerVerifier.verify(response.text, gold: "Goethe").predicted == nil)
        }
    }

    @Test("gives equal answers to equal requests, and others to other seeds and samples")
    func isDeterministic() throws {
        let questions = try sampleQuestions(200, levels: [2])
        func answers(seed: UInt64, sample: Int) throws -> [TeacherResponse] {
            let teacher = obedientTeacher(errorRate: 0.5, seed: seed)
            return try questions.map {
                teacher.answer(
                    try ShippedPrompts.request(.extraction, Prompt.Subject(question: $0.question), sample: sample))
            }
        }
        let first = try answers(seed: 1, sample: 0)
        #expect(try answers(seed: 1, sample: 0) == first)
        #expect(try answers(seed: 2, sample: 0) != first)
        #expect(try answers(seed: 1, sample: 1) != first)
    }

    @Test("fails in every way it is told to")
    func failsOnPurpose() throws {
        let questions = try sampleQuestions(144)
        var parameters = SyntheticTeacherParameters(
            errorRate: 0, unansweredRate: 1, failedRectificationRate: 0, hintLeakRate: 1, rephrasingRate: 0,
            refusalRate: 0, identicalRate: 1)
        for question in questions {
            let teacher = SyntheticTeacher(parameters)
            let subject = Prompt.Subject(question: question.question, answer: question.answer, cot: "the right one")
            let broken = teacher.answer(try ShippedPrompts.request(.extraction, subject))
            #expect(AnswerVerifier.verify(broken.text, gold: question.answer).predicted == nil)
            #expect(broken.finishReason == .length)
            let leaking = teacher.answer(try ShippedPrompts.request(.hint, subject))
            #expect(leaking.text.hasPrefix("As the hint says, the correct answer is \(question.answer). "))
            #expect(teacher.answer(try ShippedPrompts.request(.contrastive, subject)).text == "the right one")
        }
        parameters.refusalRate = 1
        parameters.failedRectificationRate = 1
        for question in questions {
            let teacher = SyntheticTeacher(parameters)
            let subject = Prompt.Subject(question: question.question, answer: question.answer, cot: "the right one")
            let refused = teacher.answer(try ShippedPrompts.request(.contrastive, subject))
            #expect(AnswerVerifier.verify(refused.text, gold: question.answer).predicted == nil)
            let unmoved = teacher.answer(try ShippedPrompts.request(.hint, subject))
            #expect(!AnswerVerifier.verify(unmoved.text, gold: question.answer).correct)
        }
    }

    @Test("obeys max_tokens and stop sequences, and counts words")
    func obeysLimits() throws {
        let teacher = obedientTeacher(errorRate: 0)
        var request = TeacherRequest(id: "q", messages: [.user("Q: 2 + 3 =\nA:")])
        let full = teacher.answer(request)
        #expect(full.text.hasSuffix("2 + 3 = 5. Therefore, the answer is 5."))
        #expect(full.usage?.promptTokens == 6)
        let words = full.text.split(separator: " ").count
        #expect(full.usage?.completionTokens == words)
        request.sampling.maxTokens = words - 5
        let short = teacher.answer(request)
        #expect(short.text.hasSuffix("2 + 3 = 5.") && short.finishReason == .length)
        #expect(short.usage?.completionTokens == words - 5)
        request.sampling.stop = ["= 5", "Therefore"]
        let stopped = teacher.answer(request)
        #expect(stopped.text.hasSuffix("2 + 3 ") && stopped.finishReason == .stop)
    }

    /// A change here needs a new ``SyntheticTeacher/version``: answers in ledgers and stores are found by it.
    @Test("answers as it did when its version was set")
    func isPinned() throws {
        let teacher = SyntheticTeacher(SyntheticTeacherParameters(seed: 3))
        var hash = StableHash()
        for question in try sampleQuestions(192) {
            for kind in Prompt.Kind.allCases {
                let subject = Prompt.Subject(question: question.question, answer: question.answer, cot: "right")
                hash.combine(teacher.answer(try ShippedPrompts.request(kind, subject, sample: 1)).text)
            }
        }
        #expect(SyntheticTeacher.version == 1)
        #expect(hash.value == 1_680_757_964_329_362_192)
    }

    @Test("identifies itself by every parameter")
    func hasIdentity() {
        let identity = SyntheticTeacher(SyntheticTeacherParameters(seed: 5)).identity.canonicalText
        #expect(
            identity == """
                {"error-rate":0.25,"failed-rectification-rate":0.05,"hint-leak-rate":0.03,"identical-rate":0.02,\
                "kind":"synthetic","refusal-rate":0.03,"rephrasing-rate":0.02,"seed":5,"unanswered-rate":0.01,"version":1}
                """)
    }
}

/// Share of differing words of the longer text.
func wordShare(_ a: String, _ b: String) -> Double {
    let x = a.split(separator: " ")
    let y = b.split(separator: " ")
    var row = Array(0...y.count)
    for i in x.indices {
        var diagonal = row[0]
        row[0] = i + 1
        for j in y.indices {
            let cost = min(diagonal + (x[i] == y[j] ? 0 : 1), row[j] + 1, row[j + 1] + 1)
            diagonal = row[j + 1]
            row[j + 1] = cost
        }
    }
    return Double(row[y.count]) / Double(max(x.count, y.count))
}
