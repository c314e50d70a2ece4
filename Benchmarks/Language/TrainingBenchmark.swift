import ArgumentParser
import CanonicalJSON
import Tokenization

/// Trains a byte-level BPE tokenizer.
struct TrainingBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-tokenizer", abstract: "Times the training of a byte-level BPE tokenizer.")

    @Option(help: "JSON strings, one a line.") var texts: String
    @Option(help: "Tokens to reach.") var vocabulary = 32000
    @Option(help: "Where to write the tokenizer.json.") var output: String?

    func run() throws {
        let texts = try TextFile.strings(texts)
        var document = JSON.null
        let time = try Timing(repeat: 1) {
            document = try BPETrainer(vocabularySize: vocabulary, split: .gpt2(singleDigits: false)).train(on: texts)
        }
        let result: JSON = [
            "seconds": .number(time.median), "bytes": .integer(Int64(texts.reduce(0) { $0 + $1.utf8.count })),
            "merges": .integer(Int64(document["model"]?["merges"]?.array?.count ?? 0)),
        ]
        print(result.canonicalText)
    }
}
