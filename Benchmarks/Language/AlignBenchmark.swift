import ArgumentParser
import CanonicalJSON
import Reasoning

/// Aligns pairs of token sequences on one thread.
struct AlignBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "align", abstract: "Times alignment on one thread.")

    @Option(help: "Objects with correct_ids and wrong_ids, one a line.") var pairs: String
    @Option(name: .customLong("repeat"), help: "Timed runs.") var count = 5

    func run() throws {
        let pairs = try TextFile.lines(pairs).compactMap { line -> ([Int32], [Int32])? in
            guard let a = line["correct_ids"]?.array, let b = line["wrong_ids"]?.array else { return nil }
            return (a.compactMap { $0.integer.map(Int32.init) }, b.compactMap { $0.integer.map(Int32.init) })
        }
        var result: [(String, JSON)] = []
        for mode in TokenAlignment.Mode.allCases {
            var distance = 0
            let time = Timing(repeat: count) {
                distance = 0
                for (a, b) in pairs { distance += TokenAlignment(correct: a, wrong: b, mode: mode).distance }
            }
            result.append((mode.rawValue, .number(time.median)))
            result.append(("\(mode.rawValue)_distance", .integer(Int64(distance))))
        }
        print(JSON.object(JSONObject(result)).canonicalText)
    }
}
