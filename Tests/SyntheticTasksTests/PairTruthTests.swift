import Reasoning
import Testing

@testable import SyntheticTasks

@Suite("What is known of a pair")
struct PairTruthTests {
    @Test("is the marked mistake, and what differs behind it", arguments: Sample.all)
    func findsTheMistake(_ sample: Sample) throws {
        for (index, question) in try sample.questions(20).enumerated() {
            let reading = try #require(TaskCatalog.read(question.question))
            let wording = Wording(question: question.question, variant: index % 3)
            let right = try #require(reading.answer(wording: wording))
            let wrong = try #require(reading.mistakenAnswer(wording: wording, seed: UInt64(index), target: nil))
            let truth = try #require(reading.truth(correct: right.text, wrong: wrong.text), "\(wrong.text)")
            #expect(truth.mistake.wrong == wrong.mistakes.map(\.span), "\(wrong.text)")
            let start = truth.mistake.correct[0].lowerBound
            // Up to the mistake both say the same.
            #expect(right.text.utf8.prefix(start).elementsEqual(wrong.text.utf8.prefix(start)))
            #expect(truth.values.correct.first == truth.mistake.correct[0])
            #expect(truth.values.wrong.first == truth.mistake.wrong[0])
            for (text, answer, spans) in [
                (right.text, right.answer, truth.values.correct), (wrong.text, wrong.answer, truth.values.wrong),
            ] {
                let last = try #require(spans.last)
                #expect(String(decoding: Array(text.utf8)[last], as: UTF8.self) == answer)
            }
        }
    }

    @Test("is nothing where the family did not write both sides")
    func knowsNothingOfForeignTexts() throws {
        let question = try #require(try Sample.all[0].questions(1).first).question
        let reading = try #require(TaskCatalog.read(question))
        let right = try #require(reading.answer(wording: Wording(question: question))).text
        #expect(reading.truth(correct: right, wrong: right) == nil)
        #expect(reading.truth(correct: right + " ", wrong: right) == nil)
        #expect(reading.truth(correct: "", wrong: "") == nil)
    }
}
