import CanonicalJSON

/// Puts special tokens around a text, such as a beginning of sequence (TemplateProcessing, for single texts).
struct TemplateProcessor: PostProcessor {
    private var before: [Int32] = []
    private var after: [Int32] = []

    var tokensBefore: [Int32] { before }
    var tokensAfter: [Int32] { after }

    init(_ reader: ComponentReader, contains: (Int32) -> Bool) throws(TokenizerError) {
        guard let pieces = reader.object["single"]?.array else {
            throw TokenizerError(path: "\(reader.path).single", problem: "should be a list")
        }
        var sawText = false
        for (index, piece) in pieces.enumerated() {
            let path = "\(reader.path).single[\(index)]"
            if let sequence = piece["Sequence"]?["id"]?.string {
                guard sequence == "A", !sawText else {
                    throw TokenizerError(path: path, problem: "the template should hold the sequence A once")
                }
                sawText = true
            } else if let name = piece["SpecialToken"]?["id"]?.string {
                guard let ids = reader.object["special_tokens"]?[name]?["ids"]?.array else {
                    throw TokenizerError(path: path, problem: "special_tokens has no \(name.debugDescription)")
                }
                for value in ids {
                    guard let id = value.integer.flatMap(Int32.init(exactly:)), contains(id) else {
                        throw TokenizerError(
                            path: path, problem: "no token has the identifier \(value.canonicalText)")
                    }
                    if sawText { after.append(id) } else { before.append(id) }
                }
            } else {
                throw TokenizerError(path: path, problem: "should be a Sequence or a SpecialToken")
            }
        }
        guard sawText else {
            throw TokenizerError(path: "\(reader.path).single", problem: "the template should hold the sequence A once")
        }
    }

    func process(_ encoding: inout Encoding, of text: String, addsSpecialTokens: Bool, _ tokenizer: Tokenizer) {
        guard addsSpecialTokens else { return }
        encoding.ids = before + encoding.ids + after
        encoding.offsets =
            before.map { _ in 0..<0 } + encoding.offsets + after.map { _ in 0..<0 }
    }
}
