import Reasoning
import Testing

@testable import SyntheticTasks

@Suite("Every family")
struct FamilyTests {
    @Test("reads back the problem that it wrote as a question", arguments: Sample.all)
    func readsItsQuestions(_ sample: Sample) {
        func check(_ family: some TaskFamily) {
            for index in 0..<60 {
                var generator = SeededGenerator(seed: 11, family.name, String(index))
                let problem = family.generate(level: sample.level, using: &generator)
                let question = family.question(for: problem)
                #expect(family.problem(from: question) == problem, "\(question)")
            }
        }
        check(sample.family)
    }

    @Test("is the only one to understand its questions", arguments: Sample.all)
    func isRecognised(_ sample: Sample) throws {
        for question in try sample.questions(20) {
            func isUnderstood(_ family: some TaskFamily) -> Bool { family.problem(from: question.question) != nil }
            let names = TaskCatalog.families.filter { isUnderstood($0) }.map(\.name)
            #expect(names == [sample.family.name], "\(question.question)")
            #expect(TaskCatalog.read(question.question)?.task == sample.family.name)
        }
    }

    @Test("gives the gold answer that an independent solver finds", arguments: Sample.all)
    func agreesWithIndependentSolver(_ sample: Sample) throws {
        for question in try sample.questions(60) {
            let expected = try #require(independentAnswer(to: question), "\(question.question)")
            #expect(question.answer == expected, "\(question.question)")
        }
    }

    @Test("has its answer among the options", arguments: Sample.all)
    func answersWithAnOption(_ sample: Sample) throws {
        for question in try sample.questions(50) {
            guard let options = question.options else { continue }
            let letters = options.indices.map { "(\(Character(Unicode.Scalar(65 + UInt8($0)))))" }
            #expect(letters.contains(question.answer))
            #expect(Set(options).count == options.count, "\(question.question)")
        }
    }

    @Test("errs with a marked mistake that changes the conclusion and little else", arguments: Sample.all)
    func errsPlausibly(_ sample: Sample) throws {
        var shares: [Double] = []
        for (index, question) in try sample.questions(60).enumerated() {
            let reading = try #require(TaskCatalog.read(question.question))
            let wording = Wording(question: question.question)
            let right = try #require(reading.answer(wording: wording))
            let wrong = try #require(
                reading.mistakenAnswer(wording: wording, seed: UInt64(index), target: nil), "\(question.question)")
            #expect(AnswerVerifier.verify(right.text, gold: question.answer).correct, "\(right.text)")
            let verdict = AnswerVerifier.verify(wrong.text, gold: question.answer)
            #expect(!verdict.correct && verdict.predicted != nil, "\(wrong.text)")
            #expect(right.mistakes.isEmpty)
            let mistake = try #require(wrong.mistakes.first)
            #expect(wrong.mistakes.count == 1)
            let bytes = Array(wrong.text.utf8)
            let written = try #require(bytes.indices.contains(mistake.span.lowerBound) ? bytes[mistake.span] : nil)
            #expect(!written.isEmpty && written.first != 0x20)
            #expect(
                bytes.prefix(mistake.span.lowerBound).elementsEqual(right.text.utf8.prefix(mistake.span.lowerBound)))
            // The texts part inside the span, or right behind it where the right one goes on (2 for 29).
            let shared = zip(wrong.text.utf8, right.text.utf8).prefix { $0 == $1 }.count
            #expect(shared <= mistake.span.upperBound)
            shares.append(differingShare(right.text, wrong.text))
        }
        let mean = shares.reduce(0, +) / Double(shares.count)
        #expect(mean > 0.01 && mean < 0.26, "mean differing share \(mean)")
        #expect(shares.allSatisfy { $0 > 0 && $0 < 0.6 }, "greatest differing share \(shares.max() ?? 0)")
    }

    @Test("refuses what is no question of it")
    func refusesOtherTexts() {
        let texts = [
            "", "is", "True and is", "( True is", "True ) is", "True is True is", "2 + =", "( 2 + 3 =", "2 3 =", "=",
            "I have two apples.", "I have two moons. How many fruits do I have?", "Close the open brackets:",
            "Close the open brackets: [ )", "Close the open brackets: [ ]", "Sort the words: alone",
            "Ada lies. Ben says Cora lies. Does Ben tell the truth?", "Does Ada tell the truth?",
            "Today is 13/01/2020. What is the date tomorrow in MM/DD/YYYY?\nOptions:\n(A) 01/14/2020",
            "Today is 02/30/2020. What is the date tomorrow in MM/DD/YYYY?\nOptions:\n(A) 03/01/2020",
            "Always face forward. Turn left. Are you back at the start?",
            "Ada is older than Ben. Cora is older than Dan. Who is the oldest?\nOptions:\n(A) Ada",
            "What is the capital of France?",
            "Ada has the red ball. Which ball does Ben have at the end?\nOptions:\n(A) red",
            "9223372036854775807 + 1", "99999999999999999999 + 1 =",
        ]
        for text in texts { #expect(TaskCatalog.read(text) == nil, "\(text)") }
    }

    @Test("has no answer where no option is right or a number is out of range")
    func findsNoAnswer() {
        let texts = [
            "Today is 01/13/2020. What is the date tomorrow in MM/DD/YYYY?\nOptions:\n(A) 01/15/2020",
            "9007199254740991 * 9007199254740991 =",
        ]
        for text in texts {
            #expect(TaskCatalog.read(text)?.answer(wording: Wording(question: text)) == nil, "\(text)")
        }
    }

    @Test("lets white space and case vary")
    func readsLeniently() throws {
        let pairs = [
            ("not(TRUE)  and ( false ) is", "False"), ("((2+3)*4)-6=", "14"),
            ("((-1 + 2 + 9 * 5) - (-2 + -4 + -4 * -7)) =", "24"),
            ("  sort the words:  pear   fig", "fig pear"), ("Close the open brackets: [{(", ") } ]"),
            ("Always face forward. take 2 steps left.\nTake 2 steps right. Are you back at the start?", "Yes"),
        ]
        for (text, answer) in pairs {
            let reading = try #require(TaskCatalog.read(text), "\(text)")
            #expect(reading.answer(wording: Wording(question: text))?.answer == answer)
        }
    }
}
