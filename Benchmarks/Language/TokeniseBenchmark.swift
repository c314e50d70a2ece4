import ArgumentParser
import CanonicalJSON
import Tokenization

/// Encodes texts on one thread, first to warm up, then as often as told.
struct TokeniseBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenise", abstract: "Times encoding on one thread, without and with offsets.")

    @Option(help: "A tokenizer.json.") var tokenizer: String
    @Option(help: "JSON strings, one a line.") var texts: String
    @Option(name: .customLong("repeat"), help: "Timed runs.") var count = 5

    func run() throws {
        let texts = try TextFile.strings(texts)
        var tokens = 0
        var checksum: Int64 = 0
        var loaded: Tokenizer?
        let loading = try Timing(repeat: 1) { loaded = try Tokenizer(json: TextFile.bytes(tokenizer)) }
        guard let tokenizer = loaded else { return }
        let cold = Timing(repeat: 1) { for text in texts { tokens += tokenizer.encode(text).count } }
        let plain = Timing(repeat: count) {
            for text in texts { for id in tokenizer.encode(text) { checksum &+= Int64(id) } }
        }
        let withOffsets = Timing(repeat: count) {
            for text in texts { checksum &+= Int64(tokenizer.encodeWithOffsets(text).offsets.count) }
        }
        let result: JSON = [
            "load": .number(loading.median), "cold": .number(cold.median), "ids": .number(plain.median),
            "offsets": .number(withOffsets.median), "tokens": .integer(Int64(tokens)), "checksum": .integer(checksum),
        ]
        print(result.canonicalText)
    }
}
