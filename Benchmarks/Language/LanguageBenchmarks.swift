import ArgumentParser

/// Measures tokenizers, their training and alignment, and how well alignment finds the key steps.
///
/// `compare.py` beside this file runs the measurements against their peers, in one run, and prints the ratios.
@main
struct LanguageBenchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "LanguageBenchmarks", abstract: "Measures tokenizers and alignment.",
        subcommands: [TokeniseBenchmark.self, AlignBenchmark.self, TrainingBenchmark.self])
}
