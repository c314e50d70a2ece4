/// A text with placeholders.
///
/// `{name}` stands for a value. `{#name}` … `{/name}` encloses a part that is repeated for each element of a list, with
/// the element's own values in it; blocks do not nest. A block's tag that is alone on its line takes the line with it.
/// A name consists of lower-case letters and underscores; any other brace is text, and `\{` is a brace before anything.
public struct PromptTemplate: Sendable, Equatable {
    /// Which names a template may and must use.
    public struct Vocabulary: Sendable, Equatable {
        public var required: [String]
        public var optional: [String]
        /// Names of blocks, each with the placeholders of its elements. Blocks are optional.
        public var blocks: [String: [String]]

        public init(required: [String], optional: [String] = [], blocks: [String: [String]] = [:]) {
            self.required = required
            self.optional = optional
            self.blocks = blocks
        }
    }

    enum Piece: Sendable, Equatable {
        case text(String)
        case value(String)
        case block(String, [Piece])
    }

    let pieces: [Piece]

    /// Reads a template. White space at the end of the text is dropped.
    ///
    /// - Parameter file: the name in messages.
    /// - Throws: ``PromptTemplateError`` with every problem of the text.
    public init(_ text: String, file: String, vocabulary: Vocabulary) throws(PromptTemplateError) {
        var parser = PromptTemplateParser(text, file: file, vocabulary: vocabulary)
        pieces = try parser.template()
    }

    /// The text with the values in their places.
    ///
    /// - Parameters:
    ///   - values: a value for each name of the vocabulary; a missing one counts as empty.
    ///   - lists: for each block the values of its elements.
    public func render(_ values: [String: String], lists: [String: [[String: String]]] = [:]) -> String {
        var text = ""
        render(pieces, values, lists, into: &text)
        return text
    }

    private func render(
        _ pieces: [Piece], _ values: [String: String], _ lists: [String: [[String: String]]], into text: inout String
    ) {
        for piece in pieces {
            switch piece {
            case .text(let literal): text += literal
            case .value(let name): text += values[name] ?? ""
            case .block(let name, let inner):
                for element in lists[name] ?? [] { render(inner, element, [:], into: &text) }
            }
        }
    }
}

/// What is wrong with a prompt template.
public struct PromptTemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Problem: Sendable, Equatable {
        /// Counted from 1.
        public let line: Int
        /// Counted in bytes from 1.
        public let column: Int
        public let message: String
    }

    public let file: String
    public let problems: [Problem]

    /// One line for each problem: `FILE:LINE:COLUMN: message`.
    public var description: String {
        problems.map { "\(file):\($0.line):\($0.column): \($0.message)" }.joined(separator: "\n")
    }
}
