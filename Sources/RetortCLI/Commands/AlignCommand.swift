import ArgumentParser
import CanonicalJSON
import Reasoning
import Tokenization

extension TokenAlignment.Mode: ExpressibleByArgument {}
extension Granularity: ExpressibleByArgument {}

struct AlignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "align",
        abstract: "Finds the key steps of pairs: reads objects with correct_cot and wrong_cot, or correct_ids and "
            + "wrong_ids, one a line, and writes where the two sides differ.")

    @Option(
        name: .customLong("tokenizer"),
        help: "A tokenizer.json, or the directory that holds one. Without it, the tokens of texts are their words.",
        completion: .file(extensions: ["json"]))
    var path: String?

    @Option(
        help: "minimal: one script of least distance with the fewest runs. reference: the masks of the published code.")
    var mode = TokenAlignment.Mode.minimal

    @Option(help: "What is inserted, deleted and replaced: tokens, words or steps (sentences and lines).")
    var granularity = Granularity.tokens

    @Flag(help: "Where an edit cuts a word in two, marks the whole word.")
    var widen = false

    @Flag(help: "Draws the pairs for a terminal, key steps in colour.")
    var color = false

    @OptionGroup var jobOptions: JobOptions

    func validate() throws {
        if widen && mode == .reference {
            throw ValidationError("--widen needs --mode minimal: the published code has two scripts a pair")
        }
    }

    func run() throws {
        let tokenizer = try path.map { try TokenizerFile($0).tokenizer }
        let method = AlignmentMethod(mode: mode, granularity: granularity, widensToWords: widen)
        let draws = color
        try LineFilter(jobs: jobOptions.count).run { line in
            let pair = try AlignmentLine(JSON.parse(line), tokenizer: tokenizer, method: method)
            return draws ? Array(pair.drawing.utf8) : pair.json.canonicalBytes
        }
    }
}
