import CanonicalJSON
import Synchronization

/// The files and batches of the OpenAI API, in memory.
final class ServedBatches: Sendable {
    private struct Batch {
        var input: String
        var metadata: JSON
        var created: Duration
        var output: String?
        var errors: String?
    }

    private struct State {
        var files: [String: [UInt8]] = [:]
        var batches: [String: Batch] = [:]
        /// In the order of creation.
        var order: [String] = []
        var answered = 0
        var nextFile = 1
    }

    private let delay: Duration
    private let clock: @Sendable () -> Duration
    private let state = Mutex(State())

    init(delay: Duration, clock: @escaping @Sendable () -> Duration) {
        self.delay = delay
        self.clock = clock
    }

    var created: Int { state.withLock { $0.order.count } }
    var answered: Int { state.withLock { $0.answered } }

    func metadata(ofBatch number: Int) -> JSON? {
        state.withLock { state in
            state.order.indices.contains(number - 1) ? state.batches[state.order[number - 1]]?.metadata : nil
        }
    }

    /// Nil when the request is about something else.
    func respond(
        to request: ServerRequest, answer: (_ body: [UInt8]) -> (status: Int, body: [UInt8])
    ) -> ServerResponse? {
        let parts = request.path.split(separator: "/").map(String.init)
        switch (request.method, parts.count, parts.dropFirst().first) {
        case ("POST", 2, "files"): return upload(request)
        case ("GET", 4, "files") where parts[3] == "content":
            return state.withLock { $0.files[parts[2]] }.map {
                ServerResponse(contentType: "application/jsonl", body: $0)
            }
        case ("POST", 2, "batches"): return create(request.body)
        case ("GET", 2, "batches"): return list()
        case ("GET", 3, "batches"): return poll(parts[2], answer)
        default: return nil
        }
    }

    private func upload(_ request: ServerRequest) -> ServerResponse {
        guard let file = MultipartForm.part(named: "file", of: request.body, contentType: request.contentType) else {
            return ServedTeacher.error(400, "The form has no part \"file\".", code: "invalid_request")
        }
        let id = store(file)
        return ServedTeacher.json(["id": .string(id), "object": "file", "purpose": "batch"])
    }

    private func store(_ bytes: [UInt8]) -> String {
        state.withLock { state in
            let id = "file-\(state.nextFile)"
            state.nextFile += 1
            state.files[id] = bytes
            return id
        }
    }

    private func create(_ body: [UInt8]) -> ServerResponse {
        guard let json = try? JSON.parse(body), let input = json["input_file_id"]?.string,
            state.withLock({ $0.files[input] }) != nil
        else { return ServedTeacher.error(400, "There is no such input file.", code: "invalid_request") }
        return state.withLock { state in
            let id = "batch-\(state.order.count + 1)"
            let batch = Batch(input: input, metadata: json["metadata"] ?? [:], created: clock())
            state.batches[id] = batch
            state.order.append(id)
            return ServedTeacher.json(Self.describe(id, batch))
        }
    }

    private func list() -> ServerResponse {
        state.withLock { state in
            let batches = state.order.reversed().map { Self.describe($0, state.batches[$0]!) }
            return ServedTeacher.json(["object": "list", "data": .array(batches), "has_more": false])
        }
    }

    /// A batch is worked off when it is asked for after its time.
    private func poll(
        _ id: String, _ answer: (_ body: [UInt8]) -> (status: Int, body: [UInt8])
    ) -> ServerResponse? {
        guard var batch = state.withLock({ $0.batches[id] }) else { return nil }
        if batch.output == nil, clock() >= batch.created + delay {
            let (output, errors, count) = work(state.withLock { $0.files[batch.input] } ?? [], answer)
            batch.output = store(output)
            if !errors.isEmpty { batch.errors = store(errors) }
            state.withLock { [batch] state in
                state.answered += count
                state.batches[id] = batch
            }
        }
        return ServedTeacher.json(Self.describe(id, batch))
    }

    /// Answers stand in the reverse order of the questions: a client that goes by the place is found out.
    private func work(
        _ input: [UInt8], _ answer: (_ body: [UInt8]) -> (status: Int, body: [UInt8])
    ) -> (output: [UInt8], errors: [UInt8], count: Int) {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        let lines = input.split(separator: 0x0A)
        for line in lines.reversed() {
            guard let json = try? JSON.parse(line), let id = json["custom_id"], let body = json["body"] else {
                continue
            }
            let (status, text) = answer(body.canonicalBytes)
            let row: JSON = [
                "custom_id": id, "error": nil,
                "response": ["status_code": .integer(Int64(status)), "body": (try? JSON.parse(text)) ?? nil],
            ]
            if status == 200 { output += row.canonicalBytes + [0x0A] } else { errors += row.canonicalBytes + [0x0A] }
        }
        return (output, errors, lines.count)
    }

    private static func describe(_ id: String, _ batch: Batch) -> JSON {
        [
            "id": .string(id), "object": "batch", "input_file_id": .string(batch.input), "metadata": batch.metadata,
            "status": batch.output == nil ? "in_progress" : "completed",
            "output_file_id": batch.output.map { .string($0) } ?? nil,
            "error_file_id": batch.errors.map { .string($0) } ?? nil,
        ]
    }
}

/// The little of `multipart/form-data` (RFC 7578) that an upload needs.
enum MultipartForm {
    /// The content of a named part; nil when there is none.
    static func part(named name: String, of body: [UInt8], contentType: String?) -> [UInt8]? {
        guard let contentType, let mark = contentType.range(of: "boundary=") else { return nil }
        let boundary = contentType[mark.upperBound...].prefix { $0 != ";" }.filter { $0 != "\"" }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        let bytes = [0x0D, 0x0A] + body
        var starts: [Int] = []
        var index = 0
        while index + delimiter.count <= bytes.count {
            if bytes[index] == 0x0D, bytes[index..<index + delimiter.count].elementsEqual(delimiter) {
                starts.append(index)
                index += delimiter.count
            } else {
                index += 1
            }
        }
        for (start, end) in zip(starts, starts.dropFirst()) {
            let part = bytes[(start + delimiter.count)..<end]
            let blank = Array("\r\n\r\n".utf8)
            guard let head = part.indices.first(where: { part[$0...].starts(with: blank) }) else { continue }
            let header = String(decoding: part[..<head], as: UTF8.self)
            if header.contains("name=\"\(name)\"") { return Array(part[(head + blank.count)...]) }
        }
        return nil
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
    }
}
