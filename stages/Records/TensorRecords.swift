import CanonicalJSON
import ContentStore
import StudentJobs

/// Token shards as JSON records, for display.
public enum TensorRecords {
    /// - Throws: a shard error for bytes that are no shard of the type.
    public static func decode(_ bytes: [UInt8], type: ArtifactType) throws -> [JSON] {
        switch type {
        case .tokens: try TokenShard.decode(bytes).map(\.json)
        case .tokenPairs: try TokenPairShard.decode(bytes).map(\.json)
        default: throw MalformedRecord(description: "\(type) is no type of token shards")
        }
    }
}
