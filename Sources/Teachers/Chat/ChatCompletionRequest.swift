import CanonicalJSON

/// A request of the OpenAI chat completions API: `POST BASE/chat/completions`.
public struct ChatCompletionRequest: Sendable, Equatable {
    /// Members that Retort writes; ``ChatTeacherParameters/extra`` cannot replace them.
    public static let ownMembers = [
        "max_tokens", "messages", "model", "n", "seed", "stop", "stream", "temperature", "top_p",
    ]

    /// The body.
    public let json: JSON

    /// - Parameters:
    ///   - request: sample *i* of a request with a seed is drawn with the seed plus *i*, or all samples would be alike.
    ///   - extra: further members.
    public init(_ request: TeacherRequest, model: String, extra: JSONObject) {
        var sampling = request.sampling
        sampling.seed = sampling.seed.map { $0 &+ request.sampleIndex }
        var body = sampling.json.object ?? JSONObject()
        for (key, value) in extra.members where !Self.ownMembers.contains(key) { body[key] = value }
        body["model"] = .string(model)
        body["messages"] = .array(request.messages.map(\.json))
        json = .object(body)
    }
}

extension TeacherRequest {
    /// No tokenizer makes more tokens of the messages than they have bytes, besides a few for the chat's frame.
    public var greatestPromptTokens: Int { messages.reduce(16) { $0 + $1.content.utf8.count + 16 } }

    /// About 4 bytes of English a token.
    public var likelyPromptTokens: Int { messages.reduce(3) { $0 + ($1.content.utf8.count + 3) / 4 + 4 } }

    /// The most that a request can cost in tokens; an answer without a limit counts as `unlimited` tokens.
    public func greatestUsage(unlimited: Int = 32_768) -> TeacherResponse.Usage {
        .init(promptTokens: greatestPromptTokens, completionTokens: sampling.maxTokens ?? unlimited)
    }
}
