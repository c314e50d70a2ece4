import CanonicalJSON
import StageGraph

/// Writes a report artifact: report.md and report.html to read, report.json to compute with.
struct ReportDirectory {
    private let context: any ActionContext

    init(_ context: any ActionContext) { self.context = context }

    func write(markdown: String, html: String? = nil, json: JSON, to output: String) throws {
        let directory = "\(context.scratchDirectory)/report"
        try FileBytes.makeDirectory(directory)
        try FileBytes.write(Array(markdown.utf8), to: "\(directory)/report.md")
        if let html { try FileBytes.write(Array(html.utf8), to: "\(directory)/report.html") }
        try FileBytes.write(json.canonicalBytes, to: "\(directory)/report.json")
        try context.write(directory: directory, to: output)
    }
}
