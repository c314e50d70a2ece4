import Reasoning
import Testing

@testable import Teachers

@Suite("Prompts")
struct PromptTests {
    @Test("put question and task description in their places")
    func rendersExtraction() throws {
        let prompt = try Prompt(.extraction, text: "{task_description}\n\nQ: {question}\nA: Think.\n\n", file: "p")
        #expect(
            prompt.messages(for: .init(question: "a {answer}?", taskDescription: "Add."))
                == [.user("Add.\n\nQ: a {answer}?\nA: Think.")])
        #expect(prompt.messages(for: .init(question: "b")) == [.user("Answer the question.\n\nQ: b\nA: Think.")])
    }

    @Test("repeat a block for each demonstration")
    func rendersDemonstrations() throws {
        let text = """
            Do.
            {#demonstrations}
            Q: {question}
            R: {right_response}
            W: {wrong_response}

            {/demonstrations}
            Q: {question}
            R: {cot}
            """
        let prompt = try Prompt(.contrastive, text: text, file: "p")
        let demonstrations = [1, 2].map {
            Demonstration(id: "\($0)", task: "t", question: "q\($0)", rightResponse: "r\($0)", wrongResponse: "w\($0)")
        }
        #expect(
            prompt.messages(for: .init(question: "x", cot: "y", demonstrations: demonstrations))
                == [.user("Do.\nQ: q1\nR: r1\nW: w1\n\nQ: q2\nR: r2\nW: w2\n\nQ: x\nR: y")])
        #expect(prompt.messages(for: .init(question: "x", cot: "y")) == [.user("Do.\nQ: x\nR: y")])
    }

    @Test("leave braces alone that are no placeholders")
    func keepsBraces() throws {
        let prompt = try Prompt(.extraction, text: #"{ [ {} {A} {1} \{question} {question"# + "} {", file: "p")
        #expect(prompt.messages(for: .init(question: "x")) == [.user("{ [ {} {A} {1} {question} x {")])
    }

    @Test("report every problem with line and column")
    func reportsProblems() {
        func message(_ kind: Prompt.Kind, _ text: String) -> String {
            do {
                _ = try Prompt(kind, text: text, file: "hint.txt")
                return "no error"
            } catch {
                return error.description
            }
        }
        #expect(
            message(.hint, "Tell me.\nQ: {questoin}\n  H: {awnser}") == """
                hint.txt:2:4: there is no placeholder {questoin}; did you mean {question}?
                hint.txt:3:6: there is no placeholder {awnser}; did you mean {answer}?
                hint.txt:3:14: the placeholder {question} is missing
                hint.txt:3:14: the placeholder {answer} is missing
                """)
        #expect(
            message(.contrastive, "{#demos}\n{question}{cot}{/demos}\n{/demonstrations}") == """
                hint.txt:1:1: there is no block {#demos}; did you mean {#demonstrations}?
                hint.txt:3:1: no block {#demonstrations} is open here
                hint.txt:3:18: the placeholder {question} is missing
                hint.txt:3:18: the placeholder {cot} is missing
                """)
        #expect(
            message(.contrastive, "{question} {cot}\n{#demonstrations}\n{cot}") == """
                hint.txt:3:1: there is no placeholder {cot} in the block {#demonstrations}; did you mean {question}?
                hint.txt:2:1: the block {#demonstrations} is never closed
                """)
        #expect(message(.extraction, "") == "hint.txt:1:1: the placeholder {question} is missing")
    }

    @Test("ship for all three kinds, ending where the teacher goes on")
    func shippedPromptsAreSound() throws {
        let subject = Prompt.Subject(
            question: "QUESTION", taskDescription: "TASK.", answer: "ANSWER", cot: "RIGHT",
            demonstrations: [
                Demonstration(id: "1", task: "t", question: "DQ", rightResponse: "DR", wrongResponse: "DW")
            ])
        let extraction = try ShippedPrompts.load(.extraction).messages(for: subject)[0].content
        #expect(extraction.hasPrefix("TASK. Your response should conclude with"))
        #expect(extraction.hasSuffix("\n\nQ: QUESTION\nA: Let's think step by step."))
        let hint = try ShippedPrompts.load(.hint).messages(for: subject)[0].content
        #expect(hint.hasSuffix("\n\nQ: QUESTION\nH: The correct answer is ANSWER.\nA: Let's think step by step."))
        // The hint prompt is the extraction prompt with hints, so that the style of the answer stays the same.
        let withoutHints = hint.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("H: ") }
        #expect(withoutHints.joined(separator: "\n") == extraction)
        let contrast = try ShippedPrompts.load(.contrastive).messages(for: subject)[0].content
        #expect(contrast.contains("\n\nQ: DQ\nRight Response: DR\nWrong Response: DW\n\nQ: QUESTION\n"))
        #expect(contrast.hasSuffix("\nRight Response: RIGHT\nWrong Response:"))
    }
}
