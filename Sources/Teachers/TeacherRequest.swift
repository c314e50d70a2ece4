import CanonicalJSON

/// One call of a teacher.
public struct TeacherRequest: Sendable, Equatable {
    /// The question's id. It names the request in messages; only recorded teachers answer by it.
    public var id: String
    public var messages: [ChatMessage]
    public var sampling: SamplingParameters
    /// Tells repeated requests for the same messages apart, from 0.
    public var sampleIndex: Int

    public init(
        id: String, messages: [ChatMessage], sampling: SamplingParameters = SamplingParameters(), sampleIndex: Int = 0
    ) {
        self.id = id
        self.messages = messages
        self.sampling = sampling
        self.sampleIndex = sampleIndex
    }
}

/// A message of a chat.
public struct ChatMessage: Sendable, Equatable {
    public enum Role: String, Sendable, CaseIterable {
        case system, user, assistant
    }

    public var role: Role
    public var content: String

    public init(role: Role, content: String) {
        self.role = role
        self.content = content
    }

    public static func user(_ content: String) -> ChatMessage { ChatMessage(role: .user, content: content) }

    public var json: JSON { ["content": .string(content), "role": .string(role.rawValue)] }
}

/// How a teacher draws its tokens; what is nil is left to the endpoint. The names are those of the OpenAI API.
public struct SamplingParameters: Sendable, Equatable {
    public var temperature: Double?
    public var topP: Double?
    /// Greatest number of new tokens.
    public var maxTokens: Int?
    public var seed: Int?
    public var stop: [String]

    /// The defaults are the paper's (EDIT, appendix: temperature 0.2, top-p 1, 2048 new tokens).
    public init(
        temperature: Double? = 0.2, topP: Double? = 1, maxTokens: Int? = 2048, seed: Int? = nil, stop: [String] = []
    ) {
        self.temperature = temperature
        self.topP = topP
        self.maxTokens = maxTokens
        self.seed = seed
        self.stop = stop
    }

    /// What is set, under the API's names.
    public var json: JSON {
        var object = JSONObject()
        object["temperature"] = temperature.map(JSON.number)
        object["top_p"] = topP.map(JSON.number)
        object["max_tokens"] = maxTokens.map { .integer(Int64($0)) }
        object["seed"] = seed.map { .integer(Int64($0)) }
        if !stop.isEmpty { object["stop"] = .array(stop.map(JSON.string)) }
        return .object(object)
    }
}
