import CanonicalJSON
import ContentStore
import Glibc
import StageGraph
import Teachers

/// Follows results back to the teacher calls behind them: which requests a stage put, and what the response ledger of this
/// machine knows of each.
public struct CallTrace {
    public struct Call: Sendable {
        public let request: TeacherRequest
        public let key: RequestKey
        /// The answer with its day, tokens and price; nil where this machine's ledger does not have it, because another
        /// machine paid for it and has not shared it.
        public let entry: LedgerEntry?
    }

    private let store: LocalStore
    private let files: StatCache
    private let ledger: ResponseLedger?

    /// - Throws: ``LedgerError``, or what opening the store's memory of files throws.
    public init(store: LocalStore) throws {
        self.store = store
        files = try StatCache(for: store)
        let path = LedgerAccess.path(in: store.localDirectory)
        ledger = access(path, F_OK) == 0 ? try ResponseLedger(path: path) : nil
    }

    /// The requests of a stage that asks a teacher, in the order of its records; of further samples of a question, those
    /// that were asked. Other stages, and those that read recorded answers, have none.
    ///
    /// - Parameters:
    ///   - inputs: what the stages before made, all of it in the store.
    ///   - ids: of the records to follow; all records unless given.
    /// - Complexity: O(records of the stage), in memory and time.
    /// - Throws: ``LedgerError``, or what reading inputs and prompts throws.
    public func visitCalls(
        of node: StageNode, inputs: [OutputReference: Artifact], about ids: Set<String>? = nil,
        _ body: (Call) throws -> Void
    ) throws {
        guard let stage = node.stage as? any AskingStage, !stage.settings.isRecorded else { return }
        let records = try node.inputs.map { input in
            (
                input.role,
                try inputs[input.source]!.shards.flatMap { shard in
                    try CanonicalRecords.decode(store.read(shard)).compactMap(\.object)
                }
            )
        }
        let context = RehearsalContext(
            node, inputs: Dictionary(uniqueKeysWithValues: records), localDirectory: store.localDirectory, files: files)
        let teacher = try stage.settings.identityOnly(context)
        for request in try stage.requests(context) where ids?.contains(request.id) ?? true {
            for index in 0..<stage.settings.samples {
                var sample = request
                sample.sampleIndex = index
                let key = RequestKey(sample, to: teacher)
                let entry = try ledger?.entries(for: [key]).first
                if index == 0 || entry != nil { try body(Call(request: sample, key: key, entry: entry)) }
            }
        }
    }

    /// The file of recorded answers that a stage reads, as the user wrote it; nil where it asks.
    public static func recording(of node: StageNode) -> String? {
        guard let stage = node.stage as? any AskingStage, stage.settings.isRecorded else { return nil }
        return node.parameters.sources.first { $0.role == "teacher.path" }?.written
    }
}
