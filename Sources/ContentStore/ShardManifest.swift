/// The canonical manifest of a sharded artifact, written to bytes and read from them directly.
///
/// As JSON values a manifest of a hundred thousand shards takes some hundred MiB for a moment, and most of the time of a
/// run in which nothing changed. What is not exactly in this form is left to the general reader, which says why.
enum ShardManifest {
    private static let opening: StaticString = #"{"format":"retort-artifact/1","shards":["#

    /// `{"format":"retort-artifact/1","shards":[{"bytes":9,"digest":"…","prefix":"01","records":1}],"type":"questions/1"}`.
    /// O(shards).
    static func encode(_ type: ArtifactType, _ shards: [Shard]) -> [UInt8] {
        pieces(type, shards).joined(capacity: 128 + shards.count * 160)
    }

    /// What ``encode(_:_:)`` gives, in pieces.
    static func pieces(_ type: ArtifactType, _ shards: [Shard]) -> TextPieces<[Shard].Iterator> {
        var start: [UInt8] = []
        start.append(opening)
        let end = Array(#"],"type":"\#(type)"}"#.utf8)
        return TextPieces(opening: start, shards.makeIterator(), closing: end) { shard, isFirst, bytes in
            bytes.append(isFirst ? #"{"bytes":"# : #",{"bytes":"#)
            bytes.append(decimal: shard.bytes)
            bytes.append(#","digest":""#)
            bytes.append(hexadecimal: shard.digest)
            bytes.append(#"","prefix":""#)
            bytes.append(prefix: shard.prefix)
            bytes.append(#"","records":"#)
            bytes.append(decimal: shard.records)
            bytes.append("}")
        }
    }

    /// What a manifest says; nil where it is not exactly what ``encode(_:_:)`` writes. O(size).
    static func decode(_ bytes: [UInt8]) -> (type: ArtifactType, shards: [Shard])? {
        bytes.withUnsafeBufferPointer { buffer in
            var scanner = ByteScanner(buffer)
            guard scanner.skip(opening) else { return nil }
            var shards: [Shard] = []
            shards.reserveCapacity(buffer.count / 128)
            while !scanner.skip(#"],"type":""#) {
                guard shards.isEmpty || scanner.skip(","), let shard = shard(&scanner) else { return nil }
                shards.append(shard)
            }
            guard let text = scanner.plainText(), scanner.skip(#""}"#), scanner.isAtEnd, let type = ArtifactType(text)
            else { return nil }
            return (type, shards)
        }
    }

    private static func shard(_ scanner: inout ByteScanner) -> Shard? {
        guard scanner.skip(#"{"bytes":"#), let bytes = scanner.number(), scanner.skip(#","digest":""#),
            let digest = scanner.digest(), scanner.skip(#"","prefix":""#), let prefix = scanner.prefix(),
            scanner.skip(#"","records":"#), let records = scanner.number(), scanner.skip("}")
        else { return nil }
        return Shard(prefix: prefix, digest: digest, records: records, bytes: bytes)
    }
}
