import CanonicalJSON

/// Reads what a chat completions endpoint answered.
public enum ChatCompletion {
    /// Why an answer with status 200 cannot be used.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// An answer, and what was odd about it.
    public struct Answer: Sendable, Equatable {
        public var response: TeacherResponse
        /// What the user should hear of, such as bytes that are no UTF-8.
        public var remark: String?
    }

    /// The answer in a body of status 200. O(bytes).
    ///
    /// Bytes that are no UTF-8 are replaced by U+FFFD, with a remark: the answer has been paid for.
    ///
    /// - Throws: ``Malformed``, with the beginning of what came instead.
    public static func read(_ body: [UInt8], contentType: String?) throws(Malformed) -> Answer {
        var remark: String?
        let json: JSON
        do {
            if String(validating: body, as: UTF8.self) == nil {
                remark = "the answer held bytes that are no UTF-8; they were replaced by U+FFFD"
                json = try JSON.parse(String(decoding: body, as: UTF8.self))
            } else {
                json = try JSON.parse(body)
            }
        } catch {
            if let contentType, !contentType.lowercased().contains("json") {
                throw Malformed(
                    description:
                        "the answer is \(printable(contentType)), not JSON: \(beginning(of: body)); is this the"
                        + " base URL of a chat endpoint, such as http://HOST/v1?")
            }
            throw Malformed(
                description: "the answer is no JSON (line \(error.line), column \(error.column): \(error.message)):"
                    + " \(beginning(of: body))")
        }
        guard let object = json.object else {
            throw Malformed(description: "the answer should be a JSON object, found \(json.kind)")
        }
        var response = try read(object)
        response.model = object["model"]?.string
        return Answer(response: response, remark: remark)
    }

    /// The answer in a chat completion object.
    ///
    /// - Throws: ``Malformed``.
    static func read(_ object: JSONObject) throws(Malformed) -> TeacherResponse {
        guard let choices = object["choices"]?.array else {
            if let message = serverMessage(.object(object)) {
                throw Malformed(description: "the answer holds an error in place of choices: \(message)")
            }
            throw Malformed(
                description: "the answer has no \"choices\": \(beginning(of: JSON.object(object).canonicalBytes));"
                    + " is this the base URL of a chat endpoint, such as http://HOST/v1?")
        }
        guard let choice = choices.first?.object else {
            throw Malformed(description: "the answer's \"choices\" are empty")
        }
        guard let message = choice["message"]?.object else {
            throw Malformed(description: "the answer's first choice has no \"message\"")
        }
        let content = message["content"] ?? .null
        guard let text = content.isNull ? "" : content.string else {
            throw Malformed(description: "the answer's content should be a text, found \(content.kind)")
        }
        let counts = object["usage"]?.object
        let usage = counts.flatMap { counts -> TeacherResponse.Usage? in
            guard let prompt = counts["prompt_tokens"]?.integer, prompt >= 0 else { return nil }
            return .init(promptTokens: prompt, completionTokens: max(0, counts["completion_tokens"]?.integer ?? 0))
        }
        return TeacherResponse(
            text: text, finishReason: TeacherResponse.FinishReason(choice["finish_reason"]?.string ?? "unknown"),
            usage: usage)
    }

    /// What a server says about an error, in its own words, on one line and at most 500 characters long; nil when the
    /// body holds nothing of the kind.
    public static func serverMessage(_ json: JSON) -> String? {
        let error = json["error"] ?? json["message"] ?? json["detail"]
        guard let text = error?["message"]?.string ?? error?.string ?? error.map(\.canonicalText), !text.isEmpty else {
            return nil
        }
        return printable(text)
    }

    /// The same for a body of any kind.
    public static func serverMessage(in body: [UInt8]) -> String {
        (try? JSON.parse(body)).flatMap { serverMessage($0) } ?? beginning(of: body)
    }

    /// The beginning of a body on one line.
    static func beginning(of body: [UInt8]) -> String {
        body.isEmpty ? "nothing" : "\"\(printable(String(decoding: body.prefix(600), as: UTF8.self), limit: 200))\""
    }

    /// A text of somebody else's on one line, without control characters, cut to a length.
    static func printable(_ text: String, limit: Int = 500) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard line.count < limit else {
                line.append("…")
                break
            }
            let isControl =
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
            if !isControl {
                line.append(scalar)
            } else if line.last != " " {
                line.append(" ")
            }
        }
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}
