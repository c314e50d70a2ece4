import Tensors
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

@Suite struct SamplingTests {
    /// Probabilities 0.4, 0.1, 0.3, 0.2 at temperature 1.
    private static let probabilities = [0.4, 0.1, 0.3, 0.2]

    private func tokens(_ draws: [TokenDraw]) throws -> [Int64] {
        let hidden = try Tensor([Float](repeating: 1, count: draws.count), shape: [draws.count, 1])
        let weight = try Tensor(Self.probabilities.map { Float(log($0)) }, shape: [4, 1])
        return try hidden.drawnTokens(output: weight, draws)
    }

    private func draws(_ uniforms: [Double], topK: Int? = nil, topP: Double = 1) throws -> [Int64] {
        try tokens(uniforms.map { TokenDraw(temperature: 1, topK: topK, topP: topP, uniform: $0) })
    }

    @Test func aDrawFallsIntoTheShareOfItsToken() throws {
        #expect(try draws([0, 0.39, 0.41, 0.49, 0.51, 0.79, 0.81, 0.99]) == [0, 0, 1, 1, 2, 2, 3, 3])
    }

    @Test func topKKeepsTheMostLikely() throws {
        // 0.4 and 0.3 remain: shares 4/7 and 3/7, most likely first.
        #expect(try draws([0, 0.56, 0.58, 0.99], topK: 2) == [0, 0, 2, 2])
        #expect(try draws([0, 0.5, 0.99], topK: 1) == [0, 0, 0])
        #expect(try draws([0.41, 0.99], topK: 9) == [1, 3])
    }

    @Test func topPKeepsTheFewestThatReachIt() throws {
        #expect(try draws([0, 0.99], topP: 0.39) == [0, 0])
        #expect(try draws([0, 0.56, 0.58, 0.99], topP: 0.69) == [0, 0, 2, 2])
        #expect(try draws([0, 0.45, 0.99], topP: 0.71) == [0, 2, 3])
        // Of the two that top-k leaves, the first has 4/7.
        #expect(try draws([0.99], topK: 2, topP: 0.57) == [0])
        #expect(try draws([0.99], topK: 2, topP: 0.58) == [2])
    }

    @Test func temperatureSharpens() throws {
        // Squared: 0.16, 0.01, 0.09, 0.04 of 0.3.
        #expect(try tokens([TokenDraw(temperature: 0.5, uniform: 0.53)]) == [0])
        #expect(try tokens([TokenDraw(temperature: 0.5, uniform: 0.54)]) == [1])
        #expect(try tokens([TokenDraw(temperature: 0, uniform: 0.9)]) == [0])
        #expect(throws: TensorError.self) { try tokens([TokenDraw(temperature: 1, topP: 0)]) }
    }
}
