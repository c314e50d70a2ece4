import CanonicalJSON
import Teachers

/// Keeps track of which of an action's questions are answered, and makes answers durable before they count.
struct BatchDesk {
    private let ledger: ResponseLedger
    private let origin: LedgerEntry.Origin
    private let prices: TokenPrices?
    private let replacing: Bool
    private let questions: [BatchQuestion]
    private let byID: [String: BatchQuestion]
    private(set) var answers: [RequestKey: Result<TeacherResponse, TeacherError>] = [:]
    /// Why a question that is still open has no answer, in the service's words.
    private var problems: [RequestKey: String] = [:]
    /// US dollars for the answers that came in.
    private(set) var cost = 0.0

    init(
        _ questions: [BatchQuestion], ledger: ResponseLedger, origin: LedgerEntry.Origin, prices: TokenPrices?,
        replacing: Bool
    ) {
        self.questions = questions
        self.ledger = ledger
        self.origin = origin
        self.prices = prices
        self.replacing = replacing
        byID = Dictionary(questions.map { ($0.customID, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Questions without an answer.
    var open: [BatchQuestion] { questions.filter { answers[$0.key] == nil } }

    func questions(of keys: [RequestKey]) -> [BatchQuestion] { keys.compactMap { byID[$0.description] } }

    /// Whether a batch of before asked some of these questions.
    func concerns(_ batch: OpenBatch) -> Bool { batch.keys.contains { byID[$0.description] != nil } }

    func open(_ token: String, _ questions: [BatchQuestion], endpoint: String, model: String) throws {
        try ledger.open(
            OpenBatch(
                token: token, endpoint: endpoint, model: model, stage: origin.stage, keys: questions.map(\.key)))
    }

    func setID(_ id: String, _ token: String) throws { try ledger.setID(id, ofBatch: token) }

    func close(_ token: String) throws { try ledger.close(batch: token) }

    /// Takes the rows of an output or error file: each is matched by its `custom_id`, and answers are durable before
    /// this returns. Answers to questions of other actions are kept too. A row that cannot be read is left out.
    mutating func take(_ file: [UInt8], from endpoint: String) async throws {
        var entries: [LedgerEntry] = []
        for line in file.split(separator: 0x0A) {
            guard let row = try? JSON.parse(line), let id = row["custom_id"]?.string,
                let key = RequestKey(hexadecimal: id)
            else { continue }
            take(row, key, endpoint, &entries)
        }
        try ledger.record(entries, replacing: replacing)
        for entry in entries {
            answers[entry.key] = .success(entry.response)
            cost += entry.cost ?? 0
        }
    }

    private mutating func take(_ row: JSON, _ key: RequestKey, _ endpoint: String, _ entries: inout [LedgerEntry]) {
        let status = row["response"]?["status_code"]?.integer
        let body = row["response"]?["body"]
        guard status == 200, let body else {
            let said = ChatCompletion.serverMessage(body ?? row) ?? "no reason was given"
            let isFinal = status.map { [400, 401, 403, 404, 422].contains($0) } ?? false
            problems[key] = "the batch answered \(status.map(String.init) ?? "with an error"): \(said)"
            if isFinal, let question = byID[key.description] {
                answers[key] = .failure(
                    TeacherError(
                        .refused, "\(endpoint), model \(origin.teacher): \(problems[key]!)",
                        questionID: question.request.id))
            }
            return
        }
        do {
            let response = try ChatCompletion.read(body.canonicalBytes, contentType: nil).response
            entries.append(
                LedgerEntry(
                    key: key, origin: origin, day: dayInUTC(),
                    cost: response.usage.flatMap { usage in prices?.cost(of: usage) }, response: response))
        } catch {
            problems[key] = "\(error)"
        }
    }

    /// The questions that are still open fail, each with what was heard last.
    mutating func giveUp(attempts: Int) {
        for question in open {
            let problem = problems[question.key] ?? "the batch holds no answer"
            answers[question.key] = .failure(
                TeacherError(
                    .unavailable,
                    "\(origin.endpoint), model \(origin.teacher): \(problem) (\(attempts) batches)",
                    questionID: question.request.id))
        }
    }

    mutating func fail(_ error: TeacherError) {
        for question in open { answers[question.key] = .failure(error) }
    }
}
