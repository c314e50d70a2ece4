import ContentStore
import StageGraph

@testable import Scheduling

/// What actions make where no stage runs: a function of the key alone, as of real ones.
struct ScriptedOutputs {
    /// The prefixes of the artifacts of source and reduce stages.
    var prefixes: @Sendable (Digest) -> [String]
    /// Whether a map stage's action writes nothing to its output of this index.
    var isEmpty: @Sendable (Digest, Int) -> Bool = { _, _ in false }
    /// Makes other content of the same key.
    var variant = ""

    func outcome(of stage: StageState, _ prefix: ShardPrefix, _ key: Digest) -> ActionOutcome {
        var outputs: [String: ActionOutput] = [:]
        for (index, port) in stage.signature.outputs.enumerated() {
            let digest = Digest(of: key.hex + port.name + variant)
            if stage.isMap {
                outputs[port.name] = .shard(
                    isEmpty(key, index) ? nil : Shard(prefix: prefix, digest: digest, records: 1, bytes: 1))
            } else {
                let shards = prefixes(key).map {
                    Shard(prefix: ShardPrefix($0)!, digest: Digest(of: digest.hex + $0), records: 1, bytes: 1)
                }
                outputs[port.name] = .artifact(try! Artifact(type: port.type, shards: shards))
            }
        }
        return ActionOutcome(
            outputs: outputs, accounting: Accounting(recordsIn: 1, recordsOut: 1), seconds: 1)
    }
}
