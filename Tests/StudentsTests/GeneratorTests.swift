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
        #expect(try Generator(model: Self.model(), slots: 2, maxNewTokens: 3, stopTokens: []).generate([]).isEmpty)
    }

    @Test func stoppingEndsTheWork() throws {
        struct Stop: Error {}
        let generator = Generator(model: try Self.model(), slots: 2, maxNewTokens: 3, stopTokens: [])
        #expect(throws: Stop.self) { try generator.generate(Self.prompts) { _ in throw Stop() } }
    }
}
