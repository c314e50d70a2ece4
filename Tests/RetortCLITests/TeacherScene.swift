import CanonicalJSON
import Foundation
import TeacherServer
import Teachers
import Testing

/// A pipeline over `count` generated questions, kept in a file to be edited.
struct TeacherScene {
    /// Requests in flight, at most.
    static let concurrency = 8

    let workplace: Workplace
    let server: TeacherServer

    init(questions count: Int, settings: ServerSettings = ServerSettings()) async throws {
        server = try await TeacherServer(settings)
        workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: source
            stages:
              questions: { uses: synthetic-tasks, with: { count: \(count), seed: 3 } }
            """, to: "source.yaml")
        let made = try workplace.retort("run", "source.yaml", "--store", "made")
        #expect(made.status == 0, "\(made.errors)")
        let shown = try workplace.retort("show", "source.yaml", "questions", "--store", "made")
        try workplace.write(shown.output, to: "questions.jsonl")
        try write()
    }

    /// - Parameters:
    ///   - teacher: further members of the teacher.
    ///   - url: the endpoint, that of ``server`` unless given.
    ///   - more: further parameters of each stage.
    ///   - prompt: the extraction prompt.
    func write(
        model: String = "synthetic", _ teacher: String = "", url: String? = nil,
        more: String = "temperature: 0.2, max-tokens: 300", prompt: String = "cot-extraction.txt"
    ) throws {
        let url = url ?? server.url
        let asked =
            "{ kind: openai, url: \"\(url)\", model: \(model), concurrency: \(Self.concurrency) \(teacher) }"
        try workplace.write(
            """
            retort: 1
            name: asked
            stages:
              questions: { uses: import-questions, with: { path: questions.jsonl, shard-records: 32 } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: pipelines/prompts/\(prompt), teacher: \(asked), \(more) }
              rectified:
                uses: rectification
                inputs: { wrong: cots.wrong }
                with: { prompt: pipelines/prompts/answer-hint.txt, teacher: \(asked), \(more) }
              demonstrations:
                uses: demonstrations
                inputs: { wrong: cots.wrong, rectified: rectified }
                with: { per-task: 1 }
              corrupted:
                uses: corruption
                inputs: { correct: cots.correct, demonstrations: demonstrations }
                with: { prompt: pipelines/prompts/contrastive.txt, teacher: \(asked), \(more) }
            """, to: "asked.yaml")
    }

    func run(_ arguments: String..., store: String = "artifacts") throws -> Program.Outcome {
        try workplace.retort(["run", "asked.yaml", "--store", store, "--format", "json"] + arguments)
    }

    func manifests(store: String = "artifacts") throws -> [String] {
        try ["cots.correct", "cots.wrong", "rectified", "corrupted"].map {
            try workplace.retort("show", "asked.yaml", $0, "--manifest", "--store", store).output
        }
    }

    func shards() throws -> Set<String> {
        Set(try manifests().flatMap { try JSON.parse($0)["shards"]!.array!.map { $0["digest"]!.string! } })
    }

    func ledgerCalls(store: String = "artifacts") throws -> Int {
        let stats = try workplace.retort("ledger", "stats", "--format", "json", "--store", store)
        return try JSON.parse(stats.output)["total"]?["calls"]?.integer ?? 0
    }

    /// What another process finds in the ledger now.
    func durableAnswers() throws -> Int {
        let path = workplace.folder.appendingPathComponent("artifacts/local/ledger.sqlite").path
        guard FileManager.default.fileExists(atPath: path) else { return 0 }
        return try ResponseLedger(path: path).count()
    }

    /// What the summary says of the calls of all stages.
    func calls(_ outcome: Program.Outcome) throws -> Int {
        try outcome.summary["stages"]!.array!.reduce(0) { $0 + ($1["teacher_calls"]?.integer ?? 0) }
    }
}
