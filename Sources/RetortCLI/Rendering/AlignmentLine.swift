import CanonicalJSON
import Reasoning
import Tokenization

/// A pair of a line and its alignment.
struct AlignmentLine {
    private let id: JSON?
    private let correct: TokenizedText
    private let wrong: TokenizedText
    private let hasText: Bool
    private let alignment: TokenAlignment

    /// - Parameter tokenizer: for pairs of texts; their words are their tokens without one.
    /// - Throws: ``LineProblem`` when the line is no pair.
    init(_ json: JSON, tokenizer: Tokenizer?, method: AlignmentMethod) throws {
        guard let object = json.object else { throw LineProblem("should be an object, found \(json.kind)") }
        id = object["id"]
        hasText = object["correct_ids"] == nil && object["wrong_ids"] == nil
        if hasText {
            let texts = (try AlignmentLine.text("correct_cot", object), try AlignmentLine.text("wrong_cot", object))
            if let tokenizer {
                (correct, wrong) = (TokenizedText(texts.0, tokenizer), TokenizedText(texts.1, tokenizer))
            } else {
                (correct, wrong) = TokenizedText.words(correct: texts.0, wrong: texts.1)
            }
        } else {
            guard method.granularity == .tokens, !method.widensToWords else {
                throw LineProblem("token ids have no words or steps; give correct_cot and wrong_cot instead")
            }
            correct = try AlignmentLine.ids("correct_ids", object)
            wrong = try AlignmentLine.ids("wrong_ids", object)
        }
        alignment = TokenAlignment(correct: correct, wrong: wrong, method: method)
    }

    private static func text(_ key: String, _ object: JSONObject) throws -> String {
        guard let value = object[key] else {
            throw LineProblem("has no \(key); a pair has correct_cot and wrong_cot, or correct_ids and wrong_ids")
        }
        guard let text = value.string else { throw LineProblem("\(key) should be a string, found \(value.kind)") }
        return text
    }

    private static func ids(_ key: String, _ object: JSONObject) throws -> TokenizedText {
        guard let value = object[key] else {
            throw LineProblem("has no \(key); a pair has correct_cot and wrong_cot, or correct_ids and wrong_ids")
        }
        guard value.array != nil else { throw LineProblem("\(key) should be a list of ids, found \(value.kind)") }
        let ids = try TokenIDs(value, key: key).ids
        return TokenizedText(text: "", ids: ids, spans: ids.map { _ in 0..<0 })
    }

    /// Segments carry token spans, and for texts UTF-8 byte spans.
    var json: JSON {
        let segments = alignment.segments.map { segment in
            var object = JSONObject([
                ("op", .string(segment.operation.rawValue)), ("correct_tokens", .bounds(segment.correct)),
                ("wrong_tokens", .bounds(segment.wrong)),
            ])
            if hasText {
                object["correct"] = .bounds(correct.bytes(of: segment.correct))
                object["wrong"] = .bounds(wrong.bytes(of: segment.wrong))
            }
            return JSON.object(object)
        }
        var object = JSONObject([
            ("distance", .integer(Int64(alignment.distance))), ("correct_mask", .mask(alignment.correctMask)),
            ("wrong_mask", .mask(alignment.wrongMask)), ("key_share", .number(alignment.keyShare)),
            ("segments", .array(segments)), ("segment_count", .integer(Int64(segments.count))),
        ])
        object["id"] = id
        return .object(object)
    }

    /// The pair as two lines for a terminal; of ids, the ids.
    var drawing: String {
        let (a, b) = hasText ? (correct, wrong) : (correct.spelledOut, wrong.spelledOut)
        let drawing = PairDrawing(.colour).lines(
            correct: (a.text, alignment.segments.map { a.bytes(of: $0.correct) }),
            wrong: (b.text, alignment.segments.map { b.bytes(of: $0.wrong) }))
        let heading = id.map { ["\($0.string.map { JSON.string($0).canonicalText } ?? $0.canonicalText)"] } ?? []
        let share = "distance \(alignment.distance), \(alignment.segments.count) segments"
        return (heading + drawing + [share]).joined(separator: "\n") + "\n"
    }
}

extension TokenizedText {
    init(_ text: String, _ tokenizer: Tokenizer) {
        let encoding = tokenizer.encodeWithOffsets(text)
        self.init(text: text, ids: encoding.ids, spans: encoding.offsets)
    }

    /// Ids as a text of their own.
    fileprivate var spelledOut: TokenizedText {
        var (text, spans): (String, [Range<Int>]) = ("", [])
        for id in ids {
            let start = text.utf8.count
            text += text.isEmpty ? "\(id)" : " \(id)"
            spans.append(start..<text.utf8.count)
        }
        return TokenizedText(text: text, ids: ids, spans: spans)
    }
}

extension JSON {
    fileprivate static func bounds(_ range: Range<Int>) -> JSON {
        .array([.integer(Int64(range.lowerBound)), .integer(Int64(range.upperBound))])
    }

    fileprivate static func mask(_ mask: [Bool]) -> JSON { .array(mask.map { .integer($0 ? 1 : 0) }) }
}
