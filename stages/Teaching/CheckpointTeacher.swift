import CanonicalJSON
import ContentStore
import StageGraph
import StudentJobs
import Synchronization
import Teachers
import Tokenization

/// A checkpoint on this machine as a teacher: `retort-student` answers all questions of a call in one run, with a fixed
/// number of slots that are refilled as answers end.
///
/// An answer is a function of the weights, the messages, the sampling parameters and the sample's number, beyond ties in
/// the last digits of a product: the key under which the ledger keeps it seeds its draws.
final class CheckpointTeacher: BatchTeacher {
    /// The role of the checkpoint's folder among the sources of a stage.
    private static let role = "teacher.path"

    let identity: JSON
    /// The beginning of the content's digest, wherever the folder lies.
    let name: String
    let endpoint = StudentProcess.program

    private let settings: Settings
    private let context: any ActionContext
    private let files: [String]
    private let digest: Digest
    /// Worker runs so far; each has files of its own.
    private let runs = Mutex(0)

    /// - Throws: ``DataFileError`` for a folder without a checkpoint, weights or the chat template it needs; what
    ///   reading it throws.
    init(_ settings: Settings, context: any ActionContext) throws {
        let listing = try context.sourceFiles(Self.role)
        let written = context.source(Self.role).written
        let folder = try CheckpointFolder(listing, name: written)
        guard folder.hasWeights else {
            throw DataFileError(written, "has no weights; a teacher needs model.safetensors beside config.json")
        }
        if settings.format == .chat, !listing.contains("chat_template.jinja") {
            let bytes = try context.sourceBytes(Self.role, file: "tokenizer_config.json")
            guard try TokenizerConfiguration(JSON.parse(bytes)).chatTemplate != nil else {
                throw DataFileError(
                    written, "has no chat template; write \"format: text\" in the teacher to give it plain prompts")
            }
        }
        self.settings = settings
        self.context = context
        files = folder.files
        digest = try Self.digest(files, context)
        name = "checkpoint-\(digest.hex.prefix(12))"
        identity = [
            "kind": "checkpoint", "checkpoint": .string("sha256:\(digest.hex)"),
            "format": .string(settings.format.rawValue), "top-k": settings.topK.map { .integer(Int64($0)) } ?? .null,
            "precision": .string(settings.execution.precision.rawValue),
            "device": .string(settings.execution.device.rawValue),
        ]
    }

    /// Of the files that count, by name and content.
    private static func digest(_ files: [String], _ context: any ActionContext) throws -> Digest {
        var encoder = CanonicalEncoder(domain: "retort.checkpoint-teacher/1")
        encoder.list("files", count: files.count)
        for file in files {
            encoder.field("path", file)
            encoder.field("digest", try context.sourceDigest(role, file: file))
        }
        return encoder.digest()
    }

    func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        try await answers(to: [BatchQuestion(key: RequestKey(request, to: self), request: request)])[0].response
    }

    /// Answers all questions in one run of the worker for each set of sampling parameters, a pipeline having one.
    func respond(
        to questions: [BatchQuestion], ledger: ResponseLedger, origin: LedgerEntry.Origin, replacing: Bool
    ) async -> [RequestKey: Result<TeacherResponse, TeacherError>] {
        var results: [RequestKey: Result<TeacherResponse, TeacherError>] = [:]
        var open = questions[...]
        while let first = open.first {
            let part = open.filter { $0.request.sampling == first.request.sampling }
            open = open.filter { $0.request.sampling != first.request.sampling }[...]
            do {
                let answers = try await answers(to: part)
                try ledger.record(
                    answers.map {
                        LedgerEntry(key: $0.key, origin: origin, day: dayInUTC(), response: $0.response)
                    }, replacing: replacing)
                for answer in answers { results[answer.key] = .success(answer.response) }
            } catch {
                let failure = failure(error)
                for question in part + open { results[question.key] = .failure(failure) }
                return results
            }
        }
        return results
    }

    private func failure(_ error: any Error) -> TeacherError {
        switch error {
        case is CancellationError: .cancelled
        case let error as TeacherError: error
        case let error as LedgerError: TeacherError(.ledger, "\(error)")
        default: TeacherError(.other, "the teacher \(context.source(Self.role).written): \(error)")
        }
    }

    /// In the order of the questions, which have the same sampling parameters.
    private func answers(
        to questions: [BatchQuestion]
    ) async throws -> [(key: RequestKey, response: TeacherResponse)] {
        let sampling = questions[0].request.sampling
        let name = runs.withLock { runs in
            runs += 1
            return "teacher-\(runs)"
        }
        let prompts = "\(context.scratchDirectory)/\(name)-prompts.jsonl"
        let output = "\(context.scratchDirectory)/\(name)-output.jsonl"
        var lines: [UInt8] = []
        for question in questions {
            prompt(question).json.write(to: &lines)
            lines.append(UInt8(ascii: "\n"))
        }
        try FileBytes.write(lines, to: prompts)
        let job = GenerationJob(
            checkpoint: context.source(Self.role).path, prompts: prompts, output: output,
            maxNewTokens: sampling.maxTokens ?? 2048, batch: settings.batch, stopTexts: sampling.stop,
            sampling: SamplingSettings(
                temperature: sampling.temperature ?? 1, topK: settings.topK, topP: sampling.topP ?? 1),
            decodesText: true, execution: settings.execution)
        _ = try await StudentProcess(context: context).run(.generate(job), name: name)
        // Answers of weights that were exchanged meanwhile must not be kept under the name of the old ones.
        guard try Self.digest(files, context) == digest else {
            throw StudentProcessError(description: "the checkpoint changed while it answered; run again")
        }
        let written = try SourceLines.parse(FileBytes.read(output), name: "answers")
        guard written.count == questions.count else {
            throw StudentProcessError(
                description: "the worker answered \(written.count) of \(questions.count) questions; run again")
        }
        return try zip(questions, written).map { question, line in
            let generation = try StudentJobs.Generation(json: line.object)
            guard generation.id.utf8.elementsEqual(id(question).utf8), let text = generation.text else {
                throw StudentProcessError(description: "the worker's answers are out of order; run again")
            }
            return (
                question.key,
                TeacherResponse(
                    text: text, finishReason: generation.finish == .stop ? .stop : .length,
                    usage: TeacherResponse.Usage(
                        promptTokens: generation.promptTokens, completionTokens: generation.tokens.count))
            )
        }
    }

    private func prompt(_ question: BatchQuestion) -> GenerationPrompt {
        let messages = question.request.messages
        let content: GenerationPrompt.Content =
            switch settings.format {
            case .chat: .chat(messages.map { ChatTurn(role: $0.role.rawValue, content: $0.content) })
            case .text: .text(messages.map(\.content).joined(separator: "\n"))
            }
        return GenerationPrompt(id: id(question), content: content, seed: seed(question.key))
    }

    /// Names the question in the worker's messages.
    private func id(_ question: BatchQuestion) -> String {
        let request = question.request
        return request.sampleIndex == 0 ? request.id : "\(request.id), sample \(request.sampleIndex)"
    }

    private func seed(_ key: RequestKey) -> UInt64 { key.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
