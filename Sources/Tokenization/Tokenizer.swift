import CanonicalJSON
import Synchronization

/// A tokenizer as Hugging Face's tokenizer.json describes it: text to token identifiers and back.
///
/// Byte-pair encodings with the components that LLaMA, Mistral, Qwen, GPT-2 and SmolLM files hold. Identifiers, offsets
/// and decoded text equal those of the Python package `tokenizers` 0.23; a component that this library does not have
/// is an error that names it. Encoding truncates and pads only when told to keep the file's limits: a student never
/// learns from half a rationale. Safe to use from several threads at once.
public final class Tokenizer: Sendable {
    let model: BytePairModel
    private let added: AddedVocabulary
    private let normalizers: [any Normalizer]
    private let preTokenizers: [any PreTokenizer]
    private let postProcessors: [any PostProcessor]
    private let decoders: [any Decoder]?
    private let isSpecial: Set<Int32>
    /// What the file says of long texts.
    public let truncation: Truncation?
    /// What the file says of short texts.
    public let padding: Padding?
    /// Encoders not in use.
    private let encoders = Mutex<[WordEncoder]>([])

    /// Reads the bytes of a tokenizer.json.
    ///
    /// - Throws: `JSONSyntaxError` when the bytes are no JSON, ``TokenizerError`` when they are no tokenizer, or one
    ///   with a component that is not supported.
    public convenience init(json bytes: some Collection<UInt8>) throws { try self.init(JSON.parse(bytes)) }

    /// Reads a tokenizer.json.
    ///
    /// - Throws: ``TokenizerError``.
    public init(_ json: JSON) throws(TokenizerError) {
        guard let file = json.object else {
            throw TokenizerError(path: "", problem: "should be an object, found \(json.kind)")
        }
        guard let version = file["version"]?.string, version.utf8.elementsEqual("1.0".utf8) else {
            let found = file["version"]?.canonicalText ?? "nothing"
            throw TokenizerError(path: "version", problem: "should be \"1.0\", found \(found)")
        }
        guard let modelValue = file["model"] else { throw TokenizerError(path: "model", problem: "is missing") }
        normalizers = try ComponentReader.optional(file, "normalizer")?.normalizers() ?? []
        try normalizers.checkGrowth("normalizer")
        let steps = try ComponentReader.optional(file, "pre_tokenizer")?.preTokenizers()
        preTokenizers = steps?.steps ?? []
        let model = try BytePairModel(
            ComponentReader(modelValue, at: "model"), isByteLevel: steps?.isByteLevel ?? false)
        let added = try AddedVocabulary(file, vocabulary: model.vocabulary, normalizers: normalizers)
        (self.model, self.added) = (model, added)
        postProcessors =
            try ComponentReader.optional(file, "post_processor")?
            .postProcessors { model.vocabulary[$0] != nil || added.token($0) != nil } ?? []
        decoders = try ComponentReader.optional(file, "decoder")?.decoders()
        // A token that decodes to something else, because it is looked for in normalised text, is not left out.
        let special = added.tokens.filter(\.special)
        isSpecial = Set(special.filter { added.content($0.id) == Array($0.content.utf8) }.map(\.id))
        let template = Tokenizer.template(postProcessors)
        truncation = try Truncation(file, added: template.before.count + template.after.count)
        padding = try Padding(file)
    }

    private static func template(_ processors: [any PostProcessor]) -> (before: [Int32], after: [Int32]) {
        processors.reduce(([], [])) { ($1.tokensBefore + $0.0, $0.1 + $1.tokensAfter) }
    }

    // MARK: Tokens

    /// One more than the highest identifier: the rows an embedding needs.
    public var vocabularySize: Int {
        max(model.vocabulary.endID, (added.tokens.map { Int($0.id) }.max() ?? -1) + 1)
    }

    public var addedTokens: [AddedToken] { added.tokens }

    /// The content of a token, in byte-level vocabularies as the file writes it; nil when there is none.
    public func token(_ id: Int32) -> String? { content(id).map { String(decoding: $0, as: UTF8.self) } }

    /// The identifier of a token.
    public func id(of token: String) -> Int32? {
        if let added = added.tokens.last(where: { $0.content.utf8.elementsEqual(token.utf8) }) { return added.id }
        let id = model.vocabulary.id(of: token.utf8)
        return id >= 0 ? id : nil
    }

    private func content(_ id: Int32) -> [UInt8]? {
        added.content(id) ?? model.vocabulary[id].map { Array($0) }
    }

    // MARK: Encoding

    /// The tokens of a text. Added tokens written in the text are recognised.
    ///
    /// - Parameter addsSpecialTokens: adds what the file's template adds, such as a beginning of sequence.
    /// - Complexity: about linear.
    public func encode(_ text: String, addsSpecialTokens: Bool = false) -> [Int32] {
        run(text, withOffsets: false, addsSpecialTokens: addsSpecialTokens).ids
    }

    /// The tokens of a text that something follows: what the file's template puts before a text, unless the text begins
    /// with it already, but not what it puts behind one.
    public func encodePrompt(_ text: String) -> [Int32] {
        let (before, ids) = (Tokenizer.template(postProcessors).before, encode(text))
        return ids.starts(with: before) ? ids : before + ids
    }

    /// The tokens of a text and where each stands in it.
    ///
    /// - Parameter keepsLimits: truncates and pads as the file says.
    public func encodeWithOffsets(
        _ text: String, addsSpecialTokens: Bool = false, keepsLimits: Bool = false
    ) -> Encoding {
        run(text, withOffsets: true, addsSpecialTokens: addsSpecialTokens, keepsLimits: keepsLimits)
    }

    private func run(
        _ text: String, withOffsets: Bool, addsSpecialTokens: Bool, keepsLimits: Bool = false
    ) -> Encoding {
        var encoder = encoders.withLock { $0.popLast() } ?? WordEncoder()
        encoder.begin(withOffsets: withOffsets)
        var text = text
        text.withUTF8 { bytes in
            added.forEachPiece(of: bytes, normalized: false) { piece in
                switch piece {
                case .token(let id, let range): encoder.append(id, range)
                case .text(let range):
                    encode(UnsafeBufferPointer(rebasing: bytes[range]), base: range.lowerBound, &encoder)
                }
            }
        }
        var encoding = encoder.finish()
        encoders.withLock { $0.append(encoder) }
        if keepsLimits, let truncation {
            let (before, after) = addsSpecialTokens ? Tokenizer.template(postProcessors) : ([], [])
            truncation.apply(to: &encoding, added: before.count + after.count)
        }
        for processor in postProcessors {
            processor.process(&encoding, of: text, addsSpecialTokens: addsSpecialTokens, self)
        }
        if keepsLimits { padding?.apply(to: &encoding, withOffsets: withOffsets) }
        return encoding
    }

    /// Text between added tokens.
    private func encode(_ source: UnsafeBufferPointer<UInt8>, base: Int, _ encoder: inout WordEncoder) {
        guard !normalizers.isEmpty || added.hasNormalizedTokens else {
            return encode(PreTokenizedText(source: source, base: base), &encoder)
        }
        var text = MappedText(source, base: base)
        for normalizer in normalizers { normalizer.normalize(&text) }
        text.bytes.withUnsafeBufferPointer { bytes in
            added.forEachPiece(of: bytes, normalized: true) { piece in
                switch piece {
                case .token(let id, let range): encoder.append(id, text.origin(of: range))
                case .text(let range):
                    var part = MappedText()
                    part.append(text, range)
                    encode(PreTokenizedText(part), &encoder)
                }
            }
        }
    }

    private func encode(_ text: consuming PreTokenizedText, _ encoder: inout WordEncoder) {
        for step in preTokenizers { step.apply(to: &text) }
        encoder.encode(text, model)
    }

    // MARK: Decoding

    /// The text of tokens. Identifiers without a token are skipped.
    ///
    /// - Parameter skipsSpecialTokens: leaves special tokens out.
    public func decode(_ ids: some Sequence<Int32>, skipsSpecialTokens: Bool = false) -> String {
        var pieces: [[UInt8]] = []
        for id in ids {
            if skipsSpecialTokens, isSpecial.contains(id) { continue }
            if let content = content(id) { pieces.append(content) }
        }
        guard let decoders else { return String(decoding: Array(pieces.joined(separator: [0x20])), as: UTF8.self) }
        for decoder in decoders { pieces = decoder.decode(pieces) }
        return String(decoding: Array(pieces.joined()), as: UTF8.self)
    }
}
