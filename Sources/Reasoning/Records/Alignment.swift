import CanonicalJSON

/// The minimum edit script of a dual pair, drawn on the texts: where the two rationales differ.
public struct Alignment: Record {
    public static let artifactType = "alignments/1"

    public enum Operation: String, Sendable, CaseIterable {
        /// Only the right rationale has these tokens.
        case insert
        /// Only the wrong rationale has these tokens.
        case delete
        case replace
    }

    /// A run of edits.
    public struct Segment: Sendable, Equatable {
        public var operation: Operation
        /// UTF-8 byte offsets into the right rationale; empty at the place of a deletion.
        public var correct: Range<Int>
        /// UTF-8 byte offsets into the wrong rationale; empty at the place of an insertion.
        public var wrong: Range<Int>

        public init(operation: Operation, correct: Range<Int>, wrong: Range<Int>) {
            self.operation = operation
            self.correct = correct
            self.wrong = wrong
        }
    }

    /// The identifier of the pair.
    public var id: String
    public var task: String
    public var origin: DualPair.Origin
    public var correctCoT: String
    public var wrongCoT: String
    /// Number of inserted, deleted and replaced tokens.
    public var distance: Int
    public var correctTokens: Int
    public var wrongTokens: Int
    /// Tokens of both sides that are inserted, deleted or replaced, as a share of all tokens of both sides; 0 when
    /// there are none.
    public var keyShare: Double
    public var segments: [Segment]

    public init(
        id: String, task: String, origin: DualPair.Origin, correctCoT: String, wrongCoT: String, distance: Int,
        correctTokens: Int, wrongTokens: Int, keyShare: Double, segments: [Segment]
    ) {
        self.id = id
        self.task = task
        self.origin = origin
        self.correctCoT = correctCoT
        self.wrongCoT = wrongCoT
        self.distance = distance
        self.correctTokens = correctTokens
        self.wrongTokens = wrongTokens
        self.keyShare = keyShare
        self.segments = segments
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        task = try json.string("task")
        origin = try json.choice("origin", of: DualPair.Origin.self)
        correctCoT = try json.string("correct_cot")
        wrongCoT = try json.string("wrong_cot")
        distance = try json.count("distance")
        correctTokens = try json.count("correct_tokens")
        wrongTokens = try json.count("wrong_tokens")
        keyShare = try json.share("key_share")
        segments = []
        for (index, element) in try json.array("segments").enumerated() {
            guard let object = element.object else {
                throw JSONFieldError(
                    field: "segments[\(index)]", problem: "should be an object, found \(element.kind)")
            }
            let segment = Segment(
                operation: try object.choice("op", of: Operation.self), correct: try object.span("correct"),
                wrong: try object.span("wrong"))
            guard segment.correct.upperBound <= correctCoT.utf8.count, segment.wrong.upperBound <= wrongCoT.utf8.count
            else {
                throw JSONFieldError(field: "segments[\(index)]", problem: "reaches beyond the end of its text")
            }
            segments.append(segment)
        }
    }

    public var json: JSON {
        let runs = segments.map { segment in
            JSON.object(
                JSONObject([
                    ("op", .string(segment.operation.rawValue)), ("correct", .span(segment.correct)),
                    ("wrong", .span(segment.wrong)),
                ]))
        }
        return .object(
            JSONObject([
                ("id", .string(id)), ("task", .string(task)), ("origin", .string(origin.rawValue)),
                ("correct_cot", .string(correctCoT)), ("wrong_cot", .string(wrongCoT)),
                ("distance", .count(distance)), ("correct_tokens", .count(correctTokens)),
                ("wrong_tokens", .count(wrongTokens)), ("key_share", .number(keyShare)), ("segments", .array(runs)),
                ("segment_count", .count(runs.count)),
            ]))
    }
}
