import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// A directory of BIG-Bench-Hard task files; each file's name is its task.
struct ImportBBH: Stage {
    static let signature = StageSignature(
        "import-bbh", version: 1, .source, "Reads a directory of BIG-Bench-Hard task files.",
        parameters: [
            Parameter("path", .directory, "The directory with the .json files.")
        ] + Parameter.sharding,
        outputs: [OutputPort("questions", .questions, "The questions of all tasks.")])

    private let limit: ShardLimit

    init(_ parameters: StageParameters) { limit = parameters.shardLimit }

    func run(_ context: any ActionContext) throws -> Accounting {
        let directory = context.source("path")
        var questions: [Question] = []
        for file in try context.sourceFiles("path") where file.hasSuffix(".json") && !file.contains("/") {
            questions += try BBHFile.questions(
                context.sourceBytes("path", file: file), file: "\(directory.written)/\(file)",
                task: String(file.dropLast(5)))
        }
        guard !questions.isEmpty else {
            throw DataFileError(directory.written, "holds no .json file of a BIG-Bench-Hard task")
        }
        try context.write(questions, to: "questions", limit: limit)
        return Accounting(recordsIn: questions.count, recordsOut: questions.count)
    }
}
