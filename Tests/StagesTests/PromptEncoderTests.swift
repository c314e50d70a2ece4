import CanonicalJSON
import Foundation
import StageGraph
import TestData
import Testing

@testable import Stages

@Suite struct PromptEncoderTests {
    /// A tokenizer whose ids are letters: a is 0, b is 1, …; 9 ends.
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("retort-prompts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let letters = "abcdefghi".enumerated().map { (letter: $0.element, id: $0.offset) } + [("Ġ", 10)]
        try write(LetterTokenizer.json(letters, end: 9), to: "tokenizer.json")
        try write(#"{"eos_token":"<end>"}"#, to: "tokenizer_config.json")
    }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: directory.appendingPathComponent(name))
    }

    private func prompt(_ format: String) throws -> StudentPrompt {
        try StudentPrompt(
            StageParameters(
                values: JSONObject([("prompt", "a{question}"), ("prompt-format", .string(format))]),
                keyed: JSONObject(), sources: []))
    }

    private func ids(_ format: String) throws -> [Int32] {
        try PromptEncoder(
            prompt(format), StudentTokenizer(directory: directory.path), directory: directory.path
        ).ids(for: "bc")
    }

    @Test func aPlainPromptIsItsText() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        #expect(try ids("plain") == [0, 1, 2])
        #expect(try prompt("plain").completion(for: "d") == " d")
        #expect(try prompt("plain").completion(of: " d") == "d")
    }

    @Test(arguments: ["chat_template.jinja", "tokenizer_config.json"])
    func aChatPromptIsAUsersMessageUpToTheAnswer(file: String) throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let template =
            "{% for m in messages %}{{ 'g' if m['role'] == 'user' else 'h' }}{{ m['content'] }}{{ eos_token }}"
            + "{% endfor %}{% if add_generation_prompt %}i{% endif %}"
        let isConfiguration = file.hasSuffix(".json")
        let configuration: JSON = ["eos_token": "<end>", "chat_template": .string(template)]
        try write(isConfiguration ? configuration.canonicalText : template, to: file)
        #expect(try ids("chat") == [6, 0, 1, 2, 9, 8])
        #expect(try prompt("chat").completion(for: "d") == "d")
        #expect(try prompt("chat").completion(for: "d", isGivenMore: true) == " d")
        #expect(try prompt("chat").completion(of: " d") == " d")
    }

    @Test func chatWithoutATemplateIsRefused() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let error = #expect(throws: (any Error).self) { try ids("chat") }
        #expect(
            "\(try #require(error))"
                == "the tokenizer: has no chat template, which prompt-format chat needs; use the format plain")
    }
}
