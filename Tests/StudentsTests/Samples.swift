import Safetensors
import StudentJobs
import Tensors
import TestData

@testable import Students

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// Small models and data for tests.
enum Samples {
    static let configuration = ModelConfiguration(
        vocabSize: 40, hiddenSize: 32, intermediateSize: 48, hiddenLayers: 2, attentionHeads: 4, keyValueHeads: 2,
        maxPositions: 48, eosTokenID: 1)

    /// "Count up from the number in the prompt": tokens 10…39 are numbers, 1 ends.
    static func counting(_ count: Int) -> [TokenRecord] {
        (0..<count).map { index in
            let first = Int32(10 + index * 7 % 20)
            return TokenRecord(
                id: "count-\(index)", prompt: [2, first, 3] + (index % 3 == 0 ? [4] : []),
                completion: (1...Int32(3 + index % 4)).map { first + $0 } + [1])
        }
    }

    /// Pairs that differ in one token or more, some with nothing shared, some with no key token on one side.
    static let pairs = [
        TokenPairRecord(
            id: "a", origin: "dual", prompt: [2, 11, 3], correct: [12, 13, 14, 1], wrong: [12, 13, 15, 1],
            correctKeys: [0, 0, 1, 0], wrongKeys: [0, 0, 1, 0]),
        TokenPairRecord(
            id: "b", origin: "dual", prompt: [2, 20, 3], correct: [21, 22, 1], wrong: [25, 22, 23, 1],
            correctKeys: [1, 0, 0], wrongKeys: [1, 0, 1, 0]),
        TokenPairRecord(
            id: "c", origin: "dual", prompt: [2, 30], correct: [31, 32, 33, 34, 1], wrong: [31, 32, 1],
            correctKeys: [0, 0, 1, 1, 0], wrongKeys: [0, 0, 0]),
        TokenPairRecord(
            id: "d", origin: "dual", prompt: [2, 30], correct: [31, 1], wrong: [31, 32, 32, 1],
            correctKeys: [0, 0], wrongKeys: [0, 1, 1, 0]),
        TokenPairRecord(
            id: "e", origin: "dual", prompt: [2], correct: [9, 1], wrong: [9, 1], correctKeys: [0, 0],
            wrongKeys: [0, 0]),
        // The first key token repeats what is shared, so that both sides weigh rows of the shared beginning.
        TokenPairRecord(
            id: "f", origin: "dual", prompt: [2, 3], correct: [9, 9, 8, 1], wrong: [9, 9, 9, 8, 1],
            correctKeys: [0, 1, 0, 0], wrongKeys: [1, 0, 1, 0, 0]),
    ]

    /// A model in double precision with seeded weights large enough for every gradient to matter.
    static func exactModel(seed: UInt64 = 5) throws -> Decoder {
        var configuration = DecoderConfiguration(Self.configuration)
        configuration.initializerRange = 0.3
        let random = try Decoder.random(configuration, seed: seed)
        let parameters = try random.parameters.map {
            Parameter(name: $0.name, tensor: try $0.tensor.converted(to: .float64))
        }
        for parameter in parameters { try parameter.tensor.setRequiresGradient(true) }
        return try Decoder(configuration, parameters: parameters, positions: 48, activation: .float64)
    }

    /// A tokenizer.json in which each id but the end token, 1, is a letter of its own: a, c, d, …
    static func tokenizer(size: Int) -> [UInt8] {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").prefix(size)
        return tokenizer(letters.enumerated().filter { $0.offset != 1 }.map { ($0.element, $0.offset) })
    }

    /// A tokenizer.json of these letters and the end token, 1.
    static func tokenizer(_ letters: [(letter: Character, id: Int)]) -> [UInt8] {
        Array(LetterTokenizer.json(letters, end: 1).utf8)
    }

    static func job(_ objective: Objective, samples: Int = 8, accumulation: Int = 1) -> TrainingJob {
        TrainingJob(
            model: .random(configuration, seed: 1), data: ["-"], objective: objective,
            optimizer: OptimizerSettings(learningRate: 5e-3),
            batch: BatchSettings(samples: samples, accumulation: accumulation), seed: 3, output: "-")
    }

    /// All gradients of a model, one after the other.
    static func gradients(_ model: Decoder) throws -> [Double] {
        try model.parameters.flatMap { parameter in
            try parameter.tensor.gradient()?.doubles() ?? [Double](repeating: 0, count: parameter.tensor.count)
        }
    }
}

/// A directory that is removed at the end of its test.
final class ScratchDirectory {
    let path: String

    init() {
        var template = Array("/tmp/students-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in (try? FileSystem.list(path)) ?? [] {
            let child = "\(path)/\(name)"
            if FileSystem.isDirectory(child) { remove(child) } else { unlink(child) }
        }
        rmdir(path)
    }

    /// Writes a file into the directory and returns its path.
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try AtomicFile.replace("\(path)/\(name)", with: bytes)
        return "\(path)/\(name)"
    }
}
