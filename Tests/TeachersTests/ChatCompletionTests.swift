import CanonicalJSON
import Foundation
import Testing

@testable import Teachers

@Suite("Chat completions")
struct ChatCompletionTests {
    private func read(_ text: String, contentType: String? = "application/json") throws -> ChatCompletion.Answer {
        try ChatCompletion.read(Array(text.utf8), contentType: contentType)
    }

    @Test("give text, finish reason, usage and the exact model")
    func reads() throws {
        let answer = try read(
            """
            {"id":"x","model":"m-2024","choices":[{"index":0,"finish_reason":"length","message":{"role":"assistant",
            "content":"hé"}}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}
            """)
        #expect(
            answer.response
                == TeacherResponse(
                    text: "hé", finishReason: .length, usage: .init(promptTokens: 7, completionTokens: 2),
                    model: "m-2024"))
        #expect(answer.remark == nil)
        #expect(try TeacherResponse(json: #require(answer.response.json.object)) == answer.response)
    }

    @Test("without content, usage or finish reason are still answers")
    func readsSparse() throws {
        let answer = try read(#"{"choices":[{"message":{"content":null}}]}"#)
        #expect(answer.response == TeacherResponse(text: "", finishReason: .other("unknown")))
    }

    @Test("with bytes that are no UTF-8 are kept, and remarked on")
    func readsInvalidUTF8() throws {
        var bytes = Array(#"{"choices":[{"finish_reason":"stop","message":{"content":"a?b"}}]}"#.utf8)
        bytes[bytes.firstIndex(of: UInt8(ascii: "?"))!] = 0xFF
        let answer = try ChatCompletion.read(bytes, contentType: nil)
        #expect(answer.response.text == "a\u{FFFD}b")
        #expect(answer.remark == "the answer held bytes that are no UTF-8; they were replaced by U+FFFD")
    }

    @Test(
        "that are none say what came instead",
        arguments: [
            (
                "<html>Welcome\nto nginx</html>", "text/html",
                "the answer is text/html, not JSON: \"<html>Welcome to nginx</html>\"; is this the base URL of a chat"
                    + " endpoint, such as http://HOST/v1?"
            ),
            (
                "{\"choices\":[", "application/json",
                "the answer is no JSON (line 1, column 13: the text ends where a JSON value should stand): \"{\"choices\":[\""
            ),
            ("[]", "application/json", "the answer should be a JSON object, found an array"),
            (
                "{\"status\":\"ok\"}", "application/json",
                "the answer has no \"choices\": \"{\"status\":\"ok\"}\"; is this the base URL of a chat endpoint, such as"
                    + " http://HOST/v1?"
            ),
            (
                "{\"error\":{\"message\":\"no\\ncredit\"}}", "application/json",
                "the answer holds an error in place of choices: no credit"
            ),
            ("{\"choices\":[]}", "application/json", "the answer's \"choices\" are empty"),
            ("{\"choices\":[{}]}", "application/json", "the answer's first choice has no \"message\""),
            (
                "{\"choices\":[{\"message\":{\"content\":7}}]}", "application/json",
                "the answer's content should be a text, found an integer"
            ),
        ])
    func explains(body: String, contentType: String, message: String) throws {
        let error = #expect(throws: ChatCompletion.Malformed.self) { try read(body, contentType: contentType) }
        #expect(error?.description == message)
    }

    @Test("errors are quoted on one line, bounded, in the server's own words")
    func quotes() {
        func said(_ text: String) -> String { ChatCompletion.serverMessage(in: Array(text.utf8)) }
        #expect(said(#"{"error":{"message":"a\u001b[31mb\nc"}}"#) == "a [31mb c")
        #expect(said(#"{"error":"plain"}"#) == "plain")
        #expect(said(#"{"detail":[{"loc":"x"}]}"#) == #"[{"loc":"x"}]"#)
        #expect(said("") == "nothing")
        #expect(said(String(repeating: "x", count: 5000)).count == 203)
    }

    @Test("requests hold what was asked for, and the seed of each sample")
    func writes() throws {
        let request = TeacherRequest(
            id: "q", messages: [.user("hi")],
            sampling: SamplingParameters(temperature: 0.2, topP: nil, maxTokens: 9, seed: 40, stop: ["\n"]),
            sampleIndex: 2)
        let body = ChatCompletionRequest(
            request, model: "m", extra: JSONObject([("top_k", 5), ("model", "other"), ("stream", true)]))
        #expect(
            body.json.canonicalText
                == #"{"max_tokens":9,"messages":[{"content":"hi","role":"user"}],"model":"m","seed":42,"stop":["\n"],"#
                + #""temperature":0.2,"top_k":5}"#)
    }
}

@Suite("Endpoints of chat completions")
struct ChatEndpointTests {
    @Test(
        "have one form however they are written",
        arguments: [
            "https://api.example.com/v1", "HTTPS://API.example.com:443/v1/",
            "https://api.example.com/v1/chat/completions",
        ])
    func normalises(text: String) throws {
        let endpoint = try ChatEndpoint(text)
        #expect(endpoint.description == "https://api.example.com/v1")
        #expect(endpoint.url("models") == "https://api.example.com/v1/models")
    }

    @Test("keep what tells services apart")
    func tellsApart() throws {
        let texts = [
            "http://h/v1", "https://h/v1", "http://h:8080/v1", "http://h/v2", "http://h", "http://h/v1?api-version=1",
            "http://g/v1",
        ]
        #expect(try Set(texts.map { try ChatEndpoint($0) }).count == texts.count)
        #expect(
            try ChatEndpoint("http://h/v1?api-version=1").url("chat/completions")
                == "http://h/v1/chat/completions?api-version=1")
    }

    @Test(
        "that cannot be used are refused without repeating what may be secret",
        arguments: [
            "", "ftp://h/v1", "h/v1", "http://", "http://user:secret@h/v1", "http://h/v1#x",
        ])
    func refuses(text: String) {
        let error = #expect(throws: ChatEndpointError.self) { try ChatEndpoint(text) }
        #expect(error?.description.contains("secret") == false)
    }
}

@Suite("API keys")
struct KeySourceTests {
    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "key-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    @Test("in files may be followed by line ends")
    func trims() throws {
        for text in ["sk-12", "sk-12\n", "sk-12\r\n", "  sk-12 \n\n"] {
            let path = try file(text)
            #expect(try KeySource.file(path).read() == "sk-12")
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test("that cannot be had are explained without a part of them")
    func explains() throws {
        let path = try file("sk-secret\nsk-other\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let sources: [(KeySource, String)] = [
            (.environment("RETORT_NO_SUCH_KEY"), "the environment variable RETORT_NO_SUCH_KEY (key-env) is not set"),
            (
                .file("/no/such/file"),
                "the key file /no/such/file (key-file) cannot be opened: No such file or directory"
            ),
            (
                .file(path),
                "the key file \(path) (key-file) holds more than one word or characters that no key has; it should"
                    + " hold the key alone"
            ),
        ]
        for (source, message) in sources {
            let error = #expect(throws: KeySourceError.self) { try source.read() }
            #expect(error?.description == message)
        }
        #expect(try KeySource.none.read() == nil)
    }
}
