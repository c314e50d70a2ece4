import Scheduling
import StageGraph

/// `STAGE` or `STAGE.OUTPUT`, as commands take it: an output of a pipeline.
struct OutputReference {
    let node: StageNode
    let port: OutputPort

    /// - Throws: ``ExitStatus/usage``, having said that there is no such stage or output, and which there are.
    init(_ text: String, in pipeline: Pipeline) throws {
        let whole = pipeline.stage(text)
        let dot = text.lastIndex(of: ".")
        let name = whole == nil ? dot.map { String(text[..<$0]) } ?? text : text
        let output = whole == nil ? dot.map { String(text[text.index(after: $0)...]) } : nil
        node = pipeline.stage(try pipeline.names(matching: [name])[0])!
        let names = node.signature.outputs.map(\.name)
        if let output, let port = node.signature.output(output) {
            self.port = port
        } else if output == nil, names.count == 1 {
            port = node.signature.outputs[0]
        } else {
            StandardStream.error.line(
                "error: \(node.name) has the outputs \(names.joined(separator: ", ")); write \(node.name).\(names[0])")
            throw ExitStatus.usage
        }
    }
}
