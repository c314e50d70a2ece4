import CanonicalJSON
import ContentStore
import Stages

/// The records of a shard, whatever the layout of its artifact.
enum StoredRecords {
    static func decode(_ bytes: [UInt8], of artifact: Artifact, _ shard: Shard) throws -> [JSON] {
        // Tensors begin with the size of their header in eight bytes, the last of which are zero; JSON has no zeros.
        bytes.prefix(8).contains(0)
            ? try TensorRecords.decode(bytes, type: artifact.type)
            : try CanonicalRecords.decode(bytes, name: "shard \(shard.prefix)")
    }
}
