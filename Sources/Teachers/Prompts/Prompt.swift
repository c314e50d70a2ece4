import Reasoning

/// A prompt of EDIT: what a teacher is asked for, and the template of how.
public struct Prompt: Sendable, Equatable {
    /// The three prompts of EDIT §3.1.
    public enum Kind: String, Sendable, CaseIterable {
        /// CEP: a chain of thought for a question. Placeholders: `{question}`; `{task_description}` if wanted.
        case extraction
        /// AHP: the same with the gold answer as a hint. `{question}`, `{answer}`; `{task_description}` if wanted.
        case hint
        /// CCP: a wrong chain of thought beside a right one. `{question}`, `{cot}`; `{task_description}` and the
        /// block `{#demonstrations}` with `{question}`, `{right_response}`, `{wrong_response}` if wanted.
        case contrastive

        var vocabulary: PromptTemplate.Vocabulary {
            switch self {
            case .extraction: .init(required: ["question"], optional: ["task_description"])
            case .hint: .init(required: ["question", "answer"], optional: ["task_description"])
            case .contrastive:
                .init(
                    required: ["question", "cot"], optional: ["task_description"],
                    blocks: ["demonstrations": ["question", "right_response", "wrong_response"]])
            }
        }
    }

    /// Stands in for `{task_description}` where a question has none.
    public static let defaultTaskDescription = "Answer the question."

    public let kind: Kind
    private let template: PromptTemplate

    /// - Parameters:
    ///   - text: the template.
    ///   - file: its name in messages.
    /// - Throws: ``PromptTemplateError`` with every unknown, missing or misplaced placeholder.
    public init(_ kind: Kind, text: String, file: String) throws(PromptTemplateError) {
        self.kind = kind
        template = try PromptTemplate(text, file: file, vocabulary: kind.vocabulary)
    }

    /// What a prompt is about. Parts that the kind of prompt does not use are ignored.
    public struct Subject: Sendable, Equatable {
        public var question: String
        public var taskDescription: String?
        /// The gold answer, for a hint.
        public var answer: String
        /// The right chain of thought, for a contrast.
        public var cot: String
        public var demonstrations: [Demonstration]

        public init(
            question: String, taskDescription: String? = nil, answer: String = "", cot: String = "",
            demonstrations: [Demonstration] = []
        ) {
            self.question = question
            self.taskDescription = taskDescription
            self.answer = answer
            self.cot = cot
            self.demonstrations = demonstrations
        }
    }

    /// The chat to send: one user message.
    public func messages(for subject: Subject) -> [ChatMessage] {
        let values = [
            "question": subject.question, "task_description": subject.taskDescription ?? Self.defaultTaskDescription,
            "answer": subject.answer, "cot": subject.cot,
        ]
        let demonstrations = subject.demonstrations.map {
            ["question": $0.question, "right_response": $0.rightResponse, "wrong_response": $0.wrongResponse]
        }
        return [.user(template.render(values, lists: ["demonstrations": demonstrations]))]
    }
}
