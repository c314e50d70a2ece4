/// A message of a conversation.
public struct ChatMessage: Sendable, Hashable {
    /// `system`, `user` or `assistant`; some templates know more.
    public var role: String
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}

/// A chat template: how a model wants a conversation written as one text.
///
/// The part of Jinja that chat templates use, with the settings of Hugging Face's `apply_chat_template`; a filter,
/// test, block or function outside of it is an error that names it.
public struct ChatTemplate: Sendable {
    private let nodes: [TemplateNode]

    /// Reads a template.
    ///
    /// - Throws: ``ChatTemplateError`` with the line.
    public init(_ source: String) throws(ChatTemplateError) {
        guard source.utf8.count <= TemplateLimits.source else {
            throw ChatTemplateError(
                line: 1,
                problem: "has \(source.utf8.count) bytes; at most \(TemplateLimits.source) are supported")
        }
        nodes = try TemplateParser.parse(source)
    }

    /// Writes a conversation.
    ///
    /// The text holds all special tokens that belong to it: encode it without adding special tokens.
    ///
    /// - Parameters:
    ///   - messages: the turns in order.
    ///   - addsGenerationPrompt: ends the text where the assistant's next turn begins.
    ///   - configuration: the special tokens that the template may name, as `bos_token` and so on.
    /// - Throws: ``ChatTemplateError`` when the template refuses the conversation or goes wrong.
    public func render(
        _ messages: [ChatMessage], addsGenerationPrompt: Bool, configuration: TokenizerConfiguration = .init()
    ) throws(ChatTemplateError) -> String {
        var variables: [String: TemplateValue] = [
            "messages": .list(
                messages.map { .map([("role", .string($0.role)), ("content", .string($0.content))]) }),
            "add_generation_prompt": .bool(addsGenerationPrompt), "tools": .none, "documents": .none,
        ]
        for (name, token) in [
            ("bos_token", configuration.beginningOfSequence), ("eos_token", configuration.endOfSequence),
            ("pad_token", configuration.padding), ("unk_token", configuration.unknown),
        ] {
            if let token { variables[name] = .string(token) }
        }
        return try TemplateRenderer.render(nodes, variables: variables)
    }
}
