import CanonicalJSON
import Safetensors
import StudentJobs
import Testing

@testable import Students

/// Generation jobs on a checkpoint with a tokenizer: stop texts, top-k and conversations.
@Suite struct GenerationJobTests {
    private let scratch = ScratchDirectory()
    private let checkpoint: String

    init() throws {
        checkpoint = "\(scratch.path)/checkpoint"
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 4)
        try Checkpoint.write(
            model, configuration: #require(Samples.configuration.json.object), tokenizer: nil, to: checkpoint)
        try AtomicFile.replace("\(checkpoint)/tokenizer.json", with: Samples.tokenizer(size: 40))
    }

    private func generate(
        _ prompt: String, stops: [String] = [], sampling: SamplingSettings = .greedy
    ) throws -> Generation {
        let prompts = try scratch.write("prompts.jsonl", Array(prompt.utf8))
        let job = GenerationJob(
            checkpoint: checkpoint, prompts: prompts, output: "\(scratch.path)/out.jsonl", maxNewTokens: 12,
            stopTokens: [0], stopTexts: stops, sampling: sampling, seed: 3, decodesText: true)
        try JobRunner(report: { _ in }, clock: { 0 }).run(.generate(job))
        return try Generation(json: #require(JSON.parse(FileSystem.read(job.output)).object))
    }

    private static let prompt = #"{"id":"a","prompt":"cde"}"#
    private static let drawn = SamplingSettings(temperature: 3)

    @Test func aStopTextEndsACompletionAndIsNotPartOfItsText() throws {
        let whole = try generate(Self.prompt, sampling: Self.drawn)
        let text = try #require(whole.text)
        try #require(text.count > 5)
        // Across two tokens, of which the second is the last that is generated.
        let start = text.index(text.startIndex, offsetBy: 3)
        let stop = String(text[start..<text.index(start, offsetBy: 2)])
        let cut = try generate(Self.prompt, stops: ["never", stop], sampling: Self.drawn)
        #expect(cut.text == String(text[..<(try #require(text.firstRange(of: stop))).lowerBound]))
        #expect(cut.finish == .stop)
        #expect(whole.tokens.starts(with: cut.tokens) && cut.tokens.count < whole.tokens.count)
    }

    @Test func topKOfOneIsGreedyAtAnyTemperature() throws {
        let greedy = try generate(Self.prompt)
        #expect(try generate(Self.prompt, sampling: SamplingSettings(temperature: 3, topK: 1)) == greedy)
        #expect(try generate(Self.prompt, sampling: Self.drawn) != greedy)
    }

    @Test func messagesAreWrittenByTheChatTemplate() throws {
        let chat = #"{"id":"a","messages":[{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}"#
        #expect(
            throws: StudentError(
                "\(scratch.path)/prompts.jsonl:1",
                "has messages, and \(checkpoint) has no chat template; give a \"prompt\" instead")
        ) { try generate(chat) }
        let template =
            "{% for message in messages %}{{ message['content'] }}{% endfor %}"
            + "{% if add_generation_prompt %}e{% endif %}"
        try AtomicFile.replace("\(checkpoint)/chat_template.jinja", with: Array(template.utf8))
        #expect(try generate(chat) == generate(Self.prompt))
    }
}
