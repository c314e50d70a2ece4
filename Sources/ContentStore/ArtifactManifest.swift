import CanonicalJSON

/// Manifests: the canonical JSON of an artifact.
///
/// ```
/// {"format":"retort-artifact/1","shards":[{"bytes":9,"digest":"…","prefix":"01","records":1}],"type":"questions/1"}
/// {"format":"retort-artifact/1","tree":[{"bytes":9,"digest":"…","executable":false,"path":"a/b"}],"type":"checkpoint/1"}
/// ```
extension Artifact {
    static let format = "retort-artifact"
    static let formatVersion = 1

    /// The canonical manifest, whose SHA-256 is ``digest``. O(entries).
    public var manifest: [UInt8] { Artifact.encode(type, content) }

    /// Reads a manifest, trusting nothing in it.
    ///
    /// - Throws: ``ContentStoreError``: `newerFormat` for a later format version, `tooLarge` beyond
    ///   ``maximumManifestBytes``, else `malformed`, naming what is wrong. Bytes that are not the canonical form of what
    ///   they say are malformed too, so that one artifact has one identity.
    /// - Complexity: O(size).
    public init(manifest bytes: [UInt8]) throws {
        guard bytes.count <= Artifact.maximumManifestBytes else {
            throw ContentStoreError(
                .tooLarge, "an artifact manifest",
                "has \(bytes.count) bytes, more than the \(Artifact.maximumManifestBytes) a manifest may have",
                remedy: "it was altered or made by something else: run the stage that makes it again")
        }
        if let (type, shards) = ShardManifest.decode(bytes) {
            try self.init(type: type, content: .shards(shards), manifest: bytes)
            return
        }
        let value: JSON
        do throws(JSONSyntaxError) {
            value = try JSON.parse(bytes, maximumDepth: 4)
        } catch {
            throw Artifact.malformed("is no JSON (\(error))")
        }
        guard let document = value.object else { throw Artifact.malformed("is no JSON object") }
        let type: ArtifactType
        let content: Content
        do {
            try Artifact.checkFormat(document.string("format"))
            let typeText = try document.string("type")
            guard let known = ArtifactType(typeText) else {
                throw Artifact.malformed("has the type \(typeText), which is not of the form name/version")
            }
            type = known
            if document["tree"] == nil {
                content = .shards(try document.array("shards").map(Artifact.shard))
            } else {
                content = .tree(try document.array("tree").map(Artifact.entry))
            }
        } catch let error as JSONFieldError {
            throw Artifact.malformed("is incomplete: \(error)")
        }
        try self.init(type: type, content: content, manifest: bytes)
        guard Artifact.encode(type, content) == bytes else {
            throw Artifact.malformed("is not in canonical form")
        }
    }

    static func encode(_ type: ArtifactType, _ content: Content) -> [UInt8] {
        switch content {
        case .shards(let shards): return ShardManifest.encode(type, shards)
        case .tree(let files):
            let entries = files.map { file -> JSON in
                [
                    "path": .string(file.path), "digest": .string(file.digest.hex),
                    "bytes": .integer(Int64(file.bytes)), "executable": .bool(file.executable),
                ]
            }
            let document = JSONObject([
                ("format", .string("\(format)/\(formatVersion)")), ("type", .string(type.description)),
                ("tree", .array(entries)),
            ])
            return JSON.object(document).canonicalBytes
        }
    }

    private static func checkFormat(_ text: String) throws(ContentStoreError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == format, let version = Int(parts[1]), version >= 1 else {
            throw malformed("has the format \"\(text)\", not \(format)/\(formatVersion)")
        }
        guard version <= formatVersion else {
            throw ContentStoreError(
                .newerFormat, "an artifact manifest",
                "has the format \(text); this program reads \(format)/\(formatVersion)",
                remedy: "update Retort, or run the stage that makes the artifact again")
        }
    }

    private static func shard(_ value: JSON) throws -> Shard {
        let object = try members(of: value)
        let text = try object.string("prefix")
        guard text != "*", let prefix = ShardPrefix(text) else {
            throw malformed("has the prefix \"\(text)\", which is not at most 64 zeros and ones")
        }
        return Shard(
            prefix: prefix, digest: try digest(in: object, of: "shard \(prefix)"),
            records: try object.integer("records"), bytes: try object.integer("bytes"))
    }

    private static func entry(_ value: JSON) throws -> TreeEntry {
        let object = try members(of: value)
        let path = try object.string("path")
        return TreeEntry(
            path: path, digest: try digest(in: object, of: path), bytes: try object.integer("bytes"),
            executable: try object.bool("executable"))
    }

    private static func members(of value: JSON) throws(ContentStoreError) -> JSONObject {
        guard let object = value.object else { throw malformed("has an entry that is \(value.kind), not an object") }
        return object
    }

    private static func digest(in object: JSONObject, of entry: String) throws -> Digest {
        let text = try object.string("digest")
        guard let digest = Digest(hex: text) else {
            throw malformed("gives \(entry) a digest that is not 64 lower-case hexadecimal digits")
        }
        return digest
    }
}
