import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// A row of key-step statistics: of one task, of one origin, or of all pairs.
struct KeySteps: Record {
    static let artifactType = "key-steps/1"

    let id: String
    let pairs: Int
    /// Key tokens as a share of all tokens of both sides.
    let keyShare: Double
    let medianKeyShare: Double
    let meanSegments: Double
    let meanDistance: Double

    init(_ row: KeyShareTable.Row) {
        id = row.id
        pairs = row.pairs
        keyShare = row.keyShare
        medianKeyShare = row.medianKeyShare
        meanSegments = row.meanSegments
        meanDistance = row.meanDistance
    }

    init(json: JSONObject) throws(JSONFieldError) {
        id = try json.string("id")
        pairs = try json.integer("pairs")
        keyShare = try json.double("key_share")
        medianKeyShare = try json.double("median_key_share")
        meanSegments = try json.double("mean_segments")
        meanDistance = try json.double("mean_distance")
    }

    var json: JSON {
        [
            "id": .string(id), "pairs": .integer(Int64(pairs)), "key_share": .number(keyShare),
            "median_key_share": .number(medianKeyShare), "mean_segments": .number(meanSegments),
            "mean_distance": .number(meanDistance),
        ]
    }
}

/// How much of the pairs is key reasoning steps, by task and by origin.
struct KeyStepStatistics: Stage {
    static let signature = StageSignature(
        "key-steps", version: 1, .reduce, "Measures the share of key reasoning steps in aligned pairs.",
        inputs: [InputPort("alignments", .alignments, distribution: .whole, "Aligned pairs.")],
        outputs: [OutputPort("key-steps", .keySteps, "A row a task and origin, and one for all pairs.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        var table = KeyShareTable()
        for alignment in try context.records("alignments", as: Reasoning.Alignment.self) { table.add(alignment) }
        try context.write(table.rows.map(KeySteps.init), to: "key-steps")
        let count = context.recordCount("alignments")
        return Accounting(recordsIn: count, recordsOut: count)
    }
}
