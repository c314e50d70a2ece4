import StudentJobs
import Tensors
import Testing

@testable import Students

@Suite struct GeneratorTests {
    static func model() throws -> Decoder {
        var configuration = DecoderConfiguration(Samples.configuration)
        configuration.initializerRange = 0.4
        return try .random(configuration, seed: 8)
    }

    static let prompts: [[Int32]] = (0..<17).map { index in
        (0...Int32(index % 5)).map { ($0 * 7 + Int32(index) * 3) % 40 }
    }

    /// One prompt after the other, the whole sequence again for every token.
    private func plainly(_ model: Decoder, _ prompt: [Int32], _ count: Int, stop: Int64) throws -> [Int32] {
        var sequence = prompt
        while sequence.count < prompt.count + count {
            let hidden = try withoutGradients {
                try model(sequence.map(Int64.init), segments: [Segment(rows: 0..<sequence.count)])
                    .rows([Int64(sequence.count - 1)])
            }
            let token = try hidden.mostLikelyTokens(output: model.output)[0]
            if token == stop { break }
            sequence.append(Int32(token))
        }
        return Array(sequence[prompt.count...])
    }

    @Test(arguments: [1, 3, 64]) func batchesGiveWhatSinglePromptsGive(slots: Int) throws {
        let model = try Self.model()
        let stop: Int64 = 22
        let generator = Generator(model: model, slots: slots, maxNewTokens: 9, stopTokens: [stop])
        var finished: [Int] = []
        let results = try generator.generate(Self.prompts) { finished.append($0) }
        let expected = try Self.prompts.map { try plainly(model, $0, 9, stop: stop) }
        #expect(results.map(\.tokens) == expected)
        #expect(results.map(\.finish) == expected.map { $0.count == 9 ? .length : .stop })
        #expect(Set(results.map(\.finish)).count == 2)
        #expect(finished.last == 17)
        #expect(finished == finished.sorted())
    }

    @Test func sequencesEndAtTheLastPosition() throws {
        let generator = Generator(model: try Self.model(), slots: 2, maxNewTokens: 100, stopTokens: [])
        let results = try generator.generate([[Int32](repeating: 5, count: 40), [6]])
        // 48 positions: a token predicted at the last of them still counts.
        #expect(results.map(\.tokens.count) == [9, 48])
        #expect(results.allSatisfy { $0.finish == .length })
    }

    @Test func noPromptsGiveNothing() throws {
        #expect(
            try Generator(model: Self.model(), slots: 2, maxNewTokens: 3, stopTokens: []).generate([[Int32]]()).isEmpty)
    }

    @Test func stoppingEndsTheWork() throws {
        struct Stop: Error {}
        let generator = Generator(model: try Self.model(), slots: 2, maxNewTokens: 3, stopTokens: [])
        #expect(throws: Stop.self) { try generator.generate(Self.prompts) { _ in throw Stop() } }
    }

    private static let sampling = SamplingSettings(temperature: 0.9, topK: 12, topP: 0.95)

    private static var requests: [GenerationRequest] {
        prompts.enumerated().map { index, prompt in
            GenerationRequest(prompt: prompt, samples: 1 + index % 4, sampling: sampling, seed: UInt64(index))
        }
    }

    @Test(arguments: [1, 4, 64]) func samplesDependOnTheirRequestAlone(slots: Int) throws {
        let model = try Self.model()
        let generator = Generator(model: model, slots: slots, maxNewTokens: 7, stopTokens: [22])
        let results = try generator.generate(Self.requests)
        #expect(results.map(\.count) == Self.requests.map(\.samples))
        for (request, result) in zip(Self.requests, results) {
            let alone = try Generator(model: model, slots: 1, maxNewTokens: 7, stopTokens: [22]).generate([request])[0]
            #expect(result.map(\.tokens) == alone.map(\.tokens))
        }
        // Samples of one prompt differ, and so do equal prompts with other seeds.
        #expect(Set(results[3].map(\.tokens)).count > 1)
        let twins = [1, 2].map { GenerationRequest(prompt: [2, 11], sampling: Self.sampling, seed: $0) }
        let outputs = try generator.generate(twins)
        #expect(outputs[0][0].tokens != outputs[1][0].tokens)
    }

    @Test func temperatureZeroIsGreedy() throws {
        let generator = Generator(model: try Self.model(), slots: 3, maxNewTokens: 5, stopTokens: [])
        let greedy = try generator.generate(Self.prompts).map(\.tokens)
        let requests = Self.prompts.map {
            GenerationRequest(prompt: $0, samples: 2, sampling: SamplingSettings(temperature: 0, topP: 0.5), seed: 4)
        }
        for (samples, expected) in zip(try generator.generate(requests), greedy) {
            #expect(samples.map(\.tokens) == [expected, expected])
        }
    }

    @Test func samplesOfAPromptComputeItOnce() {
        var schedule = SlotSchedule(promptLengths: [10, 20], samples: [3, 1], slots: 2)
        typealias Start = SlotSchedule.Start
        #expect(schedule.fill(budget: 100) == [Start(slot: 0, request: 0, sample: 0, source: nil)])
        #expect(schedule.fill(budget: 100) == [Start(slot: 1, request: 0, sample: 1, source: 0)])
        #expect(schedule.fill(budget: 100) == [])
        schedule.free(0)
        #expect(schedule.fill(budget: 100) == [Start(slot: 0, request: 0, sample: 2, source: 0)])
        schedule.free(1)
        #expect(schedule.fill(budget: 100) == [Start(slot: 1, request: 1, sample: 0, source: nil)])
        schedule.free(0)
        schedule.free(1)
        #expect(schedule.fill(budget: 100) == [])
    }

    @Test func promptsWaitForTheBudget() {
        var schedule = SlotSchedule(promptLengths: [10, 20, 30], samples: [1, 1, 1], slots: 3)
        #expect(schedule.fill(budget: 15).map(\.request) == [0])
        #expect(schedule.fill(budget: 15).isEmpty)
        schedule.free(0)
        // Nothing else goes on, so a prompt beyond the budget is computed all the same.
        #expect(schedule.fill(budget: 15).map(\.request) == [1])
        #expect(schedule.fill(budget: 30).map(\.request) == [2])
    }
}
