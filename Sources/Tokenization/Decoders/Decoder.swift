/// Turns tokens back into text, step by step.
protocol Decoder: Sendable {
    /// Changes the pieces of the text, at first the contents of the tokens. Every piece is valid UTF-8.
    func decode(_ pieces: [[UInt8]]) -> [[UInt8]]
}

extension ComponentReader {
    /// A decoder, the parts of a sequence in order.
    func decoders() throws(TokenizerError) -> [any Decoder] {
        switch type {
        case "Sequence":
            var steps: [any Decoder] = []
            for component in try components("decoders") { steps += try component.decoders() }
            return steps
        case "ByteLevel": return [ByteLevelDecoder()]
        case "ByteFallback": return [ByteFallbackDecoder()]
        case "Fuse": return [FuseDecoder()]
        case "Metaspace": return [MetaspaceDecoder(metaspace: try Metaspace(self))]
        case "Replace":
            return [ReplaceDecoder(pattern: try pattern("pattern"), content: Array(try string("content").utf8))]
        case "Strip":
            return [StripDecoder(content: try scalar("content"), start: try count("start"), stop: try count("stop"))]
        default: throw unsupported("decoder")
        }
    }
}
