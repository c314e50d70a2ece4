import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Questions with gold answers from a JSON Lines file (plain or .zst) or a BIG-Bench-Hard task file.
struct ImportQuestions: Stage {
    static let signature = StageSignature(
        "import-questions", version: 1, .source, "Reads questions from a JSON Lines or BIG-Bench-Hard file.",
        parameters: [
            Parameter("path", .file, "The file; .zst is recognised by its content."),
            Parameter(
                "format", .choice(["jsonl", "bbh"]), default: "jsonl",
                "jsonl: one object a line. bbh: {\"examples\": [{\"input\", \"target\"}]}, one task a file."),
            Parameter(
                "fields", .dictionary(.string), default: [:],
                "For jsonl: which column holds id, task, question, answer, task_description, options or level."),
            Parameter(
                "task", .string, default: .null,
                "The task of records that name none. Required for bbh."),
        ] + Parameter.sharding,
        outputs: [OutputPort("questions", .questions, "The questions.")])

    private static let fields = ["id", "task", "question", "answer", "task_description", "options", "level"]

    private let isBBH: Bool
    private let mapping: FieldMapping
    private let task: String?
    private let limit: ShardLimit

    init(_ parameters: StageParameters) throws {
        isBBH = parameters.string("format") == "bbh"
        mapping = FieldMapping(parameters["fields"])
        task = parameters.optionalString("task")
        limit = parameters.shardLimit
        if let problem = mapping.problem(known: ImportQuestions.fields) {
            throw InvalidParameters(problem.message, parameter: "fields")
        }
        if isBBH && task == nil {
            throw InvalidParameters(
                "a BIG-Bench-Hard file does not name its task: give \"task\" too", parameter: "format")
        }
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let records = isBBH ? try bbhRecords(context) : try lineRecords(context)
        try context.write(records, to: "questions", limit: limit)
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }

    private func bbhRecords(_ context: any ActionContext) throws -> [JSONObject] {
        try BBHFile.questions(
            context.sourceBytes("path"), file: context.source("path").written, task: task!
        ).map { $0.json.object! }
    }

    private func lineRecords(_ context: any ActionContext) throws -> [JSONObject] {
        let lines = try SourceLines(context, role: "path")
        var ids = UniqueIDs(file: lines.name)
        var records: [JSONObject] = []
        try lines.read { line, object in
            let question: Question
            do throws(JSONFieldError) {
                question = try self.question(object)
            } catch {
                throw DataFileError(lines.name, line: line, "\(error)")
            }
            try ids.insert(question.id, line: line)
            records.append(question.json.object!)
        }
        return records
    }

    private func question(_ object: JSONObject) throws(JSONFieldError) -> Question {
        guard let task = try mapping.optionalText("task", in: object) ?? task else {
            throw JSONFieldError(
                field: mapping.columns["task"] ?? "task",
                problem: "is missing; set the parameter \"task\" for all records")
        }
        let text = try mapping.text("question", in: object)
        let answer = try mapping.text("answer", in: object)
        guard !text.isEmpty else { throw JSONFieldError(field: "question", problem: "is empty") }
        guard !answer.isEmpty else { throw JSONFieldError(field: "answer", problem: "is empty") }
        let id = try mapping.optionalText("id", in: object) ?? QuestionID.derived(task: task, question: text)
        guard !id.isEmpty else { throw JSONFieldError(field: "id", problem: "is empty") }
        let level = try mapping.optionalText("level", in: object)
        return Question(
            id: id, task: task, question: text, answer: answer,
            taskDescription: try mapping.optionalText("task_description", in: object),
            options: try mapping.optionalList("options", in: object), level: level.flatMap { Int($0) })
    }
}
