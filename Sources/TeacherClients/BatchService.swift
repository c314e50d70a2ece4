import CanonicalJSON
import HTTPTransport
import Teachers

/// The files and batches of the OpenAI API, each call tried again after faults that pass.
struct BatchService: Sendable {
    let service: ChatService
    let attempts: Int
    let surroundings: ChatTeacher.Surroundings

    /// The name under which a batch keeps our token.
    private static let tokenMember = "retort"

    /// Uploads questions.
    ///
    /// - Returns: the file's id.
    func upload(_ lines: [UInt8]) async throws -> String {
        let boundary = "retort-\(RequestToken.make())"
        func text(_ text: String) -> [UInt8] { Array(text.utf8) }
        var form = text("--\(boundary)\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n")
        form += text("--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"questions.jsonl\"\r\n")
        form += text("Content-Type: application/jsonl\r\n\r\n") + lines + text("\r\n--\(boundary)--\r\n")
        let json = try await json(
            .post, "files", body: form, contentType: "multipart/form-data; boundary=\(boundary)")
        return try string(json, "id", in: "files")
    }

    func create(file: String, token: String) async throws -> BatchStatus {
        let body: JSON = [
            "input_file_id": .string(file), "endpoint": "/v1/chat/completions", "completion_window": "24h",
            "metadata": [Self.tokenMember: .string(token)],
        ]
        // Not tried again by itself: a batch may have been created although no answer came.
        return try status(try await json(.post, "batches", body: body.canonicalBytes, attempts: 1))
    }

    /// The batch that carries a token, if it was created.
    func find(token: String) async throws -> BatchStatus? {
        var after: String?
        while true {
            let page = try await json(.get, "batches", query: "limit=100" + (after.map { "&after=\($0)" } ?? ""))
            let batches = page["data"]?.array ?? []
            if let found = batches.first(where: { $0["metadata"]?[Self.tokenMember]?.string == token }) {
                return try status(found)
            }
            guard page["has_more"]?.bool == true, let last = batches.last?["id"]?.string, last != after else {
                return nil
            }
            after = last
        }
    }

    func poll(_ id: String) async throws -> BatchStatus { try status(try await json(.get, "batches/\(id)")) }

    func content(ofFile id: String) async throws -> [UInt8] {
        try await bytes(.get, "files/\(id)/content", limit: ChatService.fileLimit)
    }

    private func status(_ json: JSON) throws -> BatchStatus {
        let word = try string(json, "status", in: "batches")
        guard let state = BatchStatus.State(rawValue: word) else {
            throw failure("batches", "the batch has the unknown status \"\(word.prefix(40))\"")
        }
        let problems = json["errors"]?["data"]?.array?.compactMap { $0["message"]?.string } ?? []
        return BatchStatus(
            id: try string(json, "id", in: "batches"), state: state, outputFile: json["output_file_id"]?.string,
            errorFile: json["error_file_id"]?.string,
            problem: problems.isEmpty ? nil : String(problems.joined(separator: "; ").prefix(500)))
    }

    private func string(_ json: JSON, _ member: String, in resource: String) throws -> String {
        guard let text = json[member]?.string, !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x2F }) else {
            throw failure(resource, "the answer has no usable \"\(member)\"; is this an endpoint with a batch API?")
        }
        return text
    }

    private func json(
        _ method: WebRequest.Method, _ resource: String, query: String? = nil, body: [UInt8]? = nil,
        contentType: String = "application/json", attempts: Int? = nil
    ) async throws -> JSON {
        let bytes = try await bytes(
            method, resource, query: query, body: body, contentType: contentType, attempts: attempts)
        do {
            return try JSON.parse(bytes)
        } catch {
            throw failure(resource, "the answer is no JSON (\(error)); is this an endpoint with a batch API?")
        }
    }

    private func bytes(
        _ method: WebRequest.Method, _ resource: String, query: String? = nil, body: [UInt8]? = nil,
        contentType: String = "application/json", limit: Int = ChatService.bodyLimit, attempts: Int? = nil
    ) async throws -> [UInt8] {
        var counted = Attempts(attempts ?? self.attempts)
        while true {
            let reason: ServiceFailure
            do {
                let response = try await service.send(
                    method, resource, query: query, body: body, contentType: contentType, limit: limit)
                if response.isSuccess { return response.body }
                reason = ServiceFailure(response)
            } catch let error as WebFailure {
                reason = ServiceFailure(error)
            }
            guard let delay = counted.delay(after: reason, draw: surroundings.draw()) else {
                throw failure(resource, reason.problem, code: reason.code)
            }
            try await surroundings.sleep(delay)
        }
    }

    private func failure(_ resource: String, _ problem: String, code: TeacherError.Code = .malformed) -> TeacherError {
        TeacherError(code, service.redacted("\(service.endpoint) (\(resource)): \(problem)"))
    }
}

/// Names that nobody else uses.
enum RequestToken {
    /// 32 random hexadecimal digits.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
