import Reasoning

/// A piece of a report, which Markdown and HTML show each in its way.
enum ReportBlock {
    /// Level 1 or 2.
    case heading(Int, String)
    case paragraph(String)
    case table(MarkdownTable)
    case pair(Reasoning.Alignment)

    static func markdown(_ blocks: [ReportBlock]) -> String {
        blocks.map { $0.markdown.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// A page that needs nothing but itself.
    static func html(_ blocks: [ReportBlock], title: String) -> String {
        let page =
            ["<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">"]
            + ["<title>\(escaped(title))</title>", "<style>", style, "</style>", "</head>", "<body>"]
            + blocks.flatMap(\.html) + ["</body>", "</html>"]
        return page.joined(separator: "\n") + "\n"
    }

    private var markdown: [String] {
        switch self {
        case .heading(let level, let text): [String(repeating: "#", count: level) + " \(text)"]
        case .paragraph(let text): [text]
        case .table(let table): table.lines
        case .pair(let pair):
            [ReportBlock.caption(of: pair), ""]
                + PairDrawing(.markdown).lines(pair).map { "- \($0)" }
        }
    }

    private var html: [String] {
        switch self {
        case .heading(let level, let text): ["<h\(level)>\(ReportBlock.escaped(text))</h\(level)>"]
        case .paragraph(let text): ["<p>\(ReportBlock.escaped(text))</p>"]
        case .table(let table):
            ["<table>", ReportBlock.row(table.header, cell: "th")]
                + table.rows.map { ReportBlock.row($0, cell: "td") } + ["</table>"]
        case .pair(let pair):
            ["<p>\(ReportBlock.escaped(ReportBlock.caption(of: pair)))</p>"]
                + PairDrawing(.html).lines(pair).map { "<p class=\"side\">\($0)</p>" }
        }
    }

    private static func caption(of pair: Reasoning.Alignment) -> String {
        "\(pair.task), \(pair.origin.rawValue): \(pair.segments.count) segments, "
            + "\(Percentage.text(pair.keyShare)) of the tokens"
    }

    private static func row(_ cells: [String], cell: String) -> String {
        "<tr>" + cells.map { "<\(cell)>\(escaped($0))</\(cell)>" }.joined() + "</tr>"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private static let style = """
        body { font-family: sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; }
        table { border-collapse: collapse; margin: 1em 0; }
        td, th { border-bottom: 1px solid #ccc; padding: 0.2em 0.8em; text-align: right; }
        td:first-child, th:first-child { text-align: left; }
        .side { margin-left: 2em; white-space: pre-wrap; }
        ins { background: #cfc; font-weight: bold; text-decoration: none; }
        del { background: #fcc; }
        """
}
