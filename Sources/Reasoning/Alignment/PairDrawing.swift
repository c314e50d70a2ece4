/// Draws an aligned pair as text: the right rationale with what only it says marked, then the wrong one.
public struct PairDrawing: Sendable {
    /// How key steps are marked.
    public enum Style: Sendable {
        /// `{+…+}` in the right rationale and `[-…-]` in the wrong one.
        case plain
        /// Green and red, for a terminal.
        case colour
        /// Bold and struck through.
        case markdown
        /// `<ins>` and `<del>`, everything else escaped.
        case html
    }

    private let style: Style

    public init(_ style: Style) { self.style = style }

    /// A line for each side. Control characters but line ends and tabs are shown as symbols, so that no text takes over
    /// the terminal.
    ///
    /// - Parameters:
    ///   - correct: the right rationale, and the UTF-8 byte spans to mark in it, in order.
    ///   - wrong: the same for the wrong one.
    public func lines(
        correct: (text: String, spans: [Range<Int>]), wrong: (text: String, spans: [Range<Int>])
    ) -> [String] {
        [
            draw(correct.text, correct.spans, Side.correct), draw(wrong.text, wrong.spans, Side.wrong),
        ]
    }

    public func lines(_ alignment: Alignment) -> [String] {
        lines(
            correct: (alignment.correctCoT, alignment.segments.map(\.correct)),
            wrong: (alignment.wrongCoT, alignment.segments.map(\.wrong)))
    }

    private enum Side {
        case correct, wrong
    }

    private func draw(_ text: String, _ spans: [Range<Int>], _ side: Side) -> String {
        let bytes = Array(text.utf8)
        let (open, close) = marks(side)
        var line = side == .correct ? "right: " : "wrong: "
        var place = 0
        for span in spans where span.lowerBound >= place && !span.isEmpty {
            line += visible(bytes[place..<span.lowerBound])
            let marked = bytes[span]
            // Markdown wants no white space inside the marks.
            let start = marked.prefix { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 }.count
            let isBlank = start == marked.count
            line += visible(marked.prefix(start))
            line += isBlank ? "" : open + visible(marked.dropFirst(start)) + close
            place = span.upperBound
        }
        return line + visible(bytes[place...])
    }

    private func marks(_ side: Side) -> (open: String, close: String) {
        switch (style, side) {
        case (.plain, .correct): ("{+", "+}")
        case (.plain, .wrong): ("[-", "-]")
        case (.colour, .correct): ("\u{1B}[1;32m", "\u{1B}[0m")
        case (.colour, .wrong): ("\u{1B}[1;31m", "\u{1B}[0m")
        case (.markdown, .correct): ("**", "**")
        case (.markdown, .wrong): ("~~", "~~")
        case (.html, .correct): ("<ins>", "</ins>")
        case (.html, .wrong): ("<del>", "</del>")
        }
    }

    private static let markup = Set("*<>[]_`|~\\".unicodeScalars)

    private func visible(_ bytes: ArraySlice<UInt8>) -> String {
        var output = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A: output.append(style == .markdown ? " " : scalar)
            case 0..<0x20: output.append(Unicode.Scalar(0x2400 + scalar.value)!)
            case 0x7F, 0x80..<0xA0, 0x202A...0x202E, 0x2066...0x2069: output.append("\u{FFFD}")
            case 0x26 where style == .html: output.append(contentsOf: "&amp;".unicodeScalars)
            case 0x3C where style == .html: output.append(contentsOf: "&lt;".unicodeScalars)
            case 0x3E where style == .html: output.append(contentsOf: "&gt;".unicodeScalars)
            default:
                if style == .markdown, PairDrawing.markup.contains(scalar) { output.append("\\") }
                output.append(scalar)
            }
        }
        return String(output)
    }
}
