import CanonicalJSON
import Safetensors

/// Tells checkpoints of one shape apart: a digest over the beginnings of all tensors, as they are stored.
///
/// It guards against mistakes, not against an adversary.
struct BaseFingerprint: Equatable {
    /// The stored types, joined; a checkpoint converted to another type has other bytes and cannot be compared.
    let types: String
    let digest: String

    /// - Complexity: reads at most 4 KiB a tensor.
    init(_ archives: [SafetensorsArchive]) {
        var types: Set<String> = []
        var hash = StableHash()
        let entries = archives.flatMap { archive in archive.header.entries.map { (archive, $0) } }
            .sorted { compareUTF8($0.1.name, $1.1.name) < 0 }
        for (archive, entry) in entries {
            types.insert(entry.type.rawValue)
            hash.add(entry.name.utf8)
            archive.withBytes(of: entry) { hash.add($0.prefix(4096)) }
        }
        self.types = types.sorted().joined(separator: "+")
        digest = hash.hex
    }

    /// From `retort_base` of an adapter's configuration; nil where there is none.
    init?(_ object: JSONObject) throws(JSONFieldError) {
        guard let value = object["retort_base"], !value.isNull else { return nil }
        let object = try object.object("retort_base")
        types = try object.string("types")
        digest = try object.string("digest")
    }

    var json: JSON { ["types": .string(types), "digest": .string(digest)] }

    /// Whether the two are certainly not the same weights.
    func differs(from other: BaseFingerprint) -> Bool { types == other.types && digest != other.digest }
}

/// FNV-1a of 64 bits: the same number on every machine, for names and for telling things apart by mistake's standards.
struct StableHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    var hex: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
