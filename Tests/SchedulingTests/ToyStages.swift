import CanonicalJSON
import ContentStore
import Dispatch
import StageGraph
import Synchronization

extension ArtifactType {
    static let numbers = ArtifactType(name: "numbers", version: 1)
    static let total = ArtifactType(name: "total", version: 1)
}

/// Records `{"id": "n0001", "value": …}` from a parameter.
struct Numbers: Stage {
    static let signature = StageSignature(
        "numbers", version: 1, .source, "Makes numbers.",
        parameters: [
            Parameter("values", .dictionary(.integer(-1_000_000...1_000_000)), "Value by id."),
            Parameter("shard-records", .integer(1...1000), default: 4, "Records in a shard."),
        ],
        outputs: [OutputPort("numbers", .numbers, "The numbers.")])
    let parameters: StageParameters

    init(_ parameters: StageParameters) { self.parameters = parameters }

    func run(_ context: any ActionContext) throws -> Accounting {
        let records = parameters["values"].object!.members.map { id, value -> JSONObject in
            JSONObject([("id", .string(id)), ("value", value)])
        }
        try context.write(
            records, to: "numbers", limit: ShardLimit(records: parameters.integer("shard-records"), bytes: 1 << 20))
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// Adds a number to each value; drops what becomes negative into the other output, and zeros altogether.
struct Shift: Stage {
    static let signature = StageSignature(
        "shift", version: 1, .map, "Adds.",
        parameters: [
            Parameter("by", .anyInteger, default: 0, "What to add."),
            Parameter("fail-on", .anyInteger, default: .null, "Fails when a value comes out as this."),
        ],
        inputs: [
            InputPort("numbers", .numbers, "What to add to."),
            InputPort("others", .numbers, arity: .optional, "More numbers, joined by id."),
        ],
        outputs: [
            OutputPort("positive", .numbers, "Above 0."),
            OutputPort("negative", .numbers, "Below 0."),
        ])
    let by: Int
    let failure: Int?

    init(_ parameters: StageParameters) {
        by = parameters.integer("by")
        failure = parameters.optionalInteger("fail-on")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        var values: [String: Int] = [:]
        for role in context.roles(of: "numbers") + context.roles(of: "others") {
            for record in try context.records(role) {
                values[try record.string("id"), default: by] += try record.integer("value")
            }
        }
        if let failure, values.values.contains(failure) { throw ToyFailure() }
        var accounting = Accounting(recordsIn: values.count)
        accounting.drop("zero", count: values.values.count { $0 == 0 })
        accounting.recordsOut = values.values.count { $0 != 0 }
        for (output, sign) in [("positive", 1), ("negative", -1)] {
            try context.write(
                values.filter { $0.value.signum() == sign }.map {
                    JSONObject([("id", .string($0.key)), ("value", .integer(Int64($0.value)))])
                }, to: output)
        }
        return accounting
    }
}

/// The sum over all inputs modulo a number, as one record.
struct Sum: Stage {
    static let signature = StageSignature(
        "sum", version: 1, .reduce, "Adds up.",
        parameters: [Parameter("modulo", .positiveInteger, default: 1_000_000_007, "For early cutoff.")],
        inputs: [InputPort("numbers", .numbers, distribution: .whole, arity: .list, "What to add up.")],
        outputs: [OutputPort("total", .numbers, "One record.")])
    let modulo: Int

    init(_ parameters: StageParameters) { modulo = parameters.integer("modulo") }

    func run(_ context: any ActionContext) throws -> Accounting {
        let records = try context.roles(of: "numbers").flatMap { try context.records($0) }
        let total = try records.reduce(0) { $0 + (try $1.integer("value")) }
        try context.write(
            [JSONObject([("id", "total"), ("value", .integer(Int64(((total % modulo) + modulo) % modulo)))])],
            to: "total")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// A map stage that sees a whole artifact beside its shard.
struct Scale: Stage {
    static let signature = StageSignature(
        "scale", version: 1, .map, "Multiplies by a total.",
        inputs: [
            InputPort("numbers", .numbers, "What to multiply."),
            InputPort("factor", .numbers, distribution: .whole, "One record."),
        ],
        outputs: [OutputPort("numbers", .numbers, "The products.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let factor = try context.records("factor")[0].integer("value")
        let records = try context.records("numbers").map { record -> JSONObject in
            JSONObject([
                ("id", record["id"]!), ("value", .integer(Int64(try record.integer("value") * factor % 1009))),
            ])
        }
        try context.write(records, to: "numbers")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// Breaks the rules of the engine in the way a parameter says.
struct Careless: Stage {
    static let signature = StageSignature(
        "careless", version: 1, .map, "Makes mistakes.",
        parameters: [Parameter("mistake", .choice(["unbalanced", "foreign-id", "duplicate"]), "Which.")],
        inputs: [InputPort("numbers", .numbers, "Input.")],
        outputs: [OutputPort("numbers", .numbers, "Output.")])
    let mistake: String

    init(_ parameters: StageParameters) { mistake = parameters.string("mistake") }

    func run(_ context: any ActionContext) throws -> Accounting {
        var records = try context.records("numbers")
        switch mistake {
        case "foreign-id": records.append(JSONObject([("id", "elsewhere"), ("value", 1)]))
        case "duplicate": records.append(records[0])
        default: break
        }
        try context.write(records, to: "numbers")
        return Accounting(recordsIn: records.count, recordsOut: records.count - (mistake == "unbalanced" ? 1 : 0))
    }
}

/// Goes on, whatever happens, until a gate opens.
struct Stubborn: Stage {
    final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)

        func open() { semaphore.signal() }

        /// The gate stays open for whoever comes next.
        func pass() {
            semaphore.wait()
            semaphore.signal()
        }
    }

    static let gate = Gate()
    static let signature = StageSignature(
        "stubborn", version: 1, .map, "Does not listen to cancellation.",
        inputs: [InputPort("numbers", .numbers, "Input.")], outputs: [OutputPort("numbers", .numbers, "Output.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        Stubborn.gate.pass()
        let records = try context.records("numbers")
        try context.write(records, to: "numbers")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// Computes, whatever happens, until it is told to stop.
struct Spinning: Stage {
    static let isOver = Atomic(false)
    static let signature = StageSignature(
        "spinning", version: 1, .map, "Holds a processor and does not listen to cancellation.",
        inputs: [InputPort("numbers", .numbers, "Input.")], outputs: [OutputPort("numbers", .numbers, "Output.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        while !Spinning.isOver.load(ordering: .relaxed) {}
        let records = try context.records("numbers")
        try context.write(records, to: "numbers")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// Takes what its parameters say of a run's resources, and says when it has them.
struct Needy: Stage {
    static let signature = StageSignature(
        "needy", version: 1, .map, "Occupies resources.",
        parameters: [
            Parameter("slots", .integer(0...64), default: 1, "CPU slots."),
            Parameter("accelerators", .integer(0...64), default: 0, "Accelerators."),
            Parameter("calls", .integer(0...64), default: 0, "Network calls."),
            Parameter("fail-on", .string, default: .null, "Fails on the record of this id and names it."),
        ],
        inputs: [InputPort("numbers", .numbers, "Input.")], outputs: [OutputPort("numbers", .numbers, "Output.")])
    let resources: Resources
    let failure: String?

    init(_ parameters: StageParameters) {
        resources = Resources(
            cpuSlots: parameters.integer("slots"), accelerators: parameters.integer("accelerators"),
            networkCalls: parameters.integer("calls"))
        failure = parameters.optionalString("fail-on")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let records = try context.records("numbers")
        if let failure, records.contains(where: { $0["id"]?.string == failure }) {
            throw RecordFailure(record: failure, ToyFailure())
        }
        try context.write(records, to: "numbers")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// Gives other numbers each time it runs, which no stage should.
struct Drift: Stage {
    private static let clocks = Mutex<[String: Int]>([:])
    static let signature = StageSignature(
        "drift", version: 1, .source, "Counts its runs.",
        parameters: [Parameter("clock", .string, "Which count.")],
        outputs: [OutputPort("numbers", .numbers, "The numbers.")])
    let clock: String

    init(_ parameters: StageParameters) { clock = parameters.string("clock") }

    func run(_ context: any ActionContext) throws -> Accounting {
        let count = Drift.clocks.withLock { clocks in
            clocks[clock, default: 0] += 1
            return clocks[clock]!
        }
        let records = (0..<20).map {
            JSONObject([("id", .string("n\($0)")), ("value", .integer(Int64(100 * count + $0)))])
        }
        try context.write(records, to: "numbers", limit: ShardLimit(records: 8, bytes: 1 << 20))
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

struct ToyFailure: Error, CustomStringConvertible {
    var description: String { "the toy broke" }
}

extension StageLibrary {
    static let toys = StageLibrary([
        Numbers.self, Shift.self, Sum.self, Scale.self, Careless.self, Stubborn.self, Spinning.self, Needy.self,
        Drift.self,
    ])
}

/// A stage of a toy pipeline.
struct Toy {
    let name: String
    let type: String
    let inputs: [(String, [String])]
    let parameters: [String: JSON]

    init(_ name: String, _ type: String, _ inputs: [(String, [String])] = [], _ parameters: [String: JSON] = [:]) {
        self.name = name
        self.type = type
        self.inputs = inputs
        self.parameters = parameters
    }
}

extension Pipeline {
    static func toys(_ stages: [Toy]) throws -> Pipeline {
        try PipelineDraft(
            name: "toys", baseDirectory: ".",
            stages: stages.map { toy in
                StageDraft(
                    name: Located(toy.name), uses: Located(toy.type),
                    inputs: toy.inputs.map { (Located($0.0), $0.1.map { Located($0) }) },
                    parameters: JSONObject(toy.parameters.map { ($0.key, $0.value) }).members.map {
                        (Located($0.key), Located(DraftValue($0.value)))
                    })
            }
        ).validated(against: .toys)
    }
}

extension DraftValue {
    init(_ json: JSON) {
        switch json {
        case .array(let elements): self = .list(elements.map { Located(DraftValue($0)) })
        case .object(let object):
            self = .mapping(object.members.map { (Located($0.key), Located(DraftValue($0.value))) })
        default: self = .scalar(json)
        }
    }
}
