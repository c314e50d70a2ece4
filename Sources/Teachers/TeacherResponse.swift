import CanonicalJSON
import Reasoning

/// What a teacher answered.
public struct TeacherResponse: Sendable, Equatable {
    /// Why the text ends where it does.
    public enum FinishReason: Sendable, Equatable {
        case stop
        /// The limit on new tokens was reached.
        case length
        /// Any other reason, in the endpoint's words.
        case other(String)

        public init(_ word: String) {
            switch word {
            case "stop": self = .stop
            case "length": self = .length
            default: self = .other(word)
            }
        }

        public var word: String {
            switch self {
            case .stop: "stop"
            case .length: "length"
            case .other(let word): word
            }
        }
    }

    /// Tokens as the teacher counts them.
    public struct Usage: Sendable, Equatable {
        public var promptTokens: Int
        public var completionTokens: Int

        public init(promptTokens: Int, completionTokens: Int) {
            self.promptTokens = promptTokens
            self.completionTokens = completionTokens
        }
    }

    public var text: String
    public var finishReason: FinishReason
    /// Nil when the teacher does not count.
    public var usage: Usage?
    /// The model as the endpoint names it, which may be more exact than what was asked for; nil when it does not say.
    public var model: String?
    /// Where the text goes wrong; nil when the teacher does not know, as a real one never does.
    public var mistakes: [Mistake]?

    public init(
        text: String, finishReason: FinishReason = .stop, usage: Usage? = nil, model: String? = nil,
        mistakes: [Mistake]? = nil
    ) {
        self.text = text
        self.finishReason = finishReason
        self.usage = usage
        self.model = model
        self.mistakes = mistakes
    }

    public var json: JSON {
        var object = JSONObject([("text", .string(text)), ("finish_reason", .string(finishReason.word))])
        object["usage"] = usage.map {
            [
                "completion_tokens": .integer(Int64($0.completionTokens)),
                "prompt_tokens": .integer(Int64($0.promptTokens)),
            ]
        }
        object["model"] = model.map(JSON.string)
        object["mistakes"] = mistakes.map { .array($0.map(Self.json)) }
        return .object(object)
    }

    /// - Throws: ``JSONFieldError`` for a member that is missing, of the wrong kind or out of range.
    public init(json: JSONObject) throws(JSONFieldError) {
        text = try json.string("text")
        finishReason = FinishReason(try json.string("finish_reason"))
        if let usage = json["usage"], !usage.isNull {
            let object = try json.object("usage")
            self.usage = Usage(
                promptTokens: try object.integer("prompt_tokens"),
                completionTokens: try object.integer("completion_tokens"))
        }
        model = try json.optionalString("model")
        if let list = json["mistakes"], !list.isNull {
            var read: [Mistake] = []
            for element in try json.array("mistakes") { read.append(try Self.mistake(element, within: text)) }
            mistakes = read
        }
    }

    private static func json(_ mistake: Mistake) -> JSON {
        [
            "end": .integer(Int64(mistake.span.upperBound)), "kind": .string(mistake.kind.rawValue),
            "start": .integer(Int64(mistake.span.lowerBound)),
        ]
    }

    private static func mistake(_ json: JSON, within text: String) throws(JSONFieldError) -> Mistake {
        guard let object = json.object else {
            throw JSONFieldError(field: "mistakes", problem: "should hold objects, found \(json.kind)")
        }
        let (start, end) = (try object.integer("start"), try object.integer("end"))
        guard let kind = Mistake.Kind(rawValue: try object.string("kind")), 0 <= start, start <= end,
            end <= text.utf8.count
        else { throw JSONFieldError(field: "mistakes", problem: "has an unknown kind or a span outside the text") }
        return Mistake(kind: kind, span: start..<end)
    }
}
