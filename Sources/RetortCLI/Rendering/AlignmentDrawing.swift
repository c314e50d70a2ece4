import CanonicalJSON
import ContentStore
import Reasoning

/// Aligned pairs of an artifact, as text to read.
struct AlignmentDrawing {
    static let artifactType = ArtifactType(Reasoning.Alignment.artifactType)!

    private let drawing: PairDrawing

    init(isColoured: Bool) { drawing = PairDrawing(isColoured ? .colour : .plain) }

    /// A pair's heading, its two sides and how much of it is key steps; an empty line follows.
    ///
    /// - Parameter record: the canonical JSON of an alignment.
    func text(_ record: ArraySlice<UInt8>) throws -> String {
        guard let object = try JSON.parse(record).object else { throw LineProblem("an alignment is an object") }
        let pair = try Reasoning.Alignment(json: object)
        let tokens = pair.correctTokens + pair.wrongTokens
        let keys = Int((pair.keyShare * Double(tokens)).rounded())
        let heading =
            "\(JSON.string(pair.id).canonicalText) of \(JSON.string(pair.task).canonicalText), \(pair.origin.rawValue)"
        let summary =
            "distance \(pair.distance), \(pair.segments.count) segments, \(keys) of \(tokens) tokens are key steps"
        return ([heading] + drawing.lines(pair) + [summary]).joined(separator: "\n") + "\n"
    }
}
