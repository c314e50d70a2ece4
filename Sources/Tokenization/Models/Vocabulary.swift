import CanonicalJSON

/// Tokens by identifier and identifiers by token. Tokens are compared by their UTF-8 bytes.
struct Vocabulary: Sendable {
    /// The bytes of all tokens, one after the other.
    private var arena: [UInt8] = []
    /// For each identifier where its token begins in the arena and ends; begin −1 where it has none.
    private var spans: [(start: Int32, end: Int32)]
    /// Open addressing: identifiers, −1 where a slot is free.
    private var slots: [Int32]
    private(set) var count: Int

    /// - Parameter entries: tokens with distinct content.
    /// - Throws: ``TokenizerError`` when an identifier is taken twice, negative, or far beyond the number of tokens.
    init(_ entries: [(token: String, id: Int)], at path: String) throws(TokenizerError) {
        let limit = 4 * entries.count + (1 << 20)
        let highest = entries.lazy.map(\.id).max() ?? -1
        guard highest < limit else {
            throw TokenizerError(
                path: path, problem: "the identifier \(highest) is out of range for \(entries.count) tokens")
        }
        count = entries.count
        spans = Array(repeating: (-1, -1), count: highest + 1)
        var size = 16
        while size < 2 * entries.count { size *= 2 }
        slots = Array(repeating: -1, count: size)
        for (token, id) in entries {
            guard id >= 0 else {
                throw TokenizerError(
                    path: path, problem: "the token \(token.debugDescription) has the identifier \(id)")
            }
            guard spans[id].start < 0 else {
                let other = String(decoding: self[Int32(id)]!, as: UTF8.self)
                throw TokenizerError(
                    path: path,
                    problem:
                        "the tokens \(other.debugDescription) and \(token.debugDescription) share the identifier \(id)")
            }
            let start = arena.count
            arena.append(contentsOf: token.utf8)
            spans[id] = (Int32(start), Int32(arena.count))
            let slot = arena.withUnsafeBufferPointer { freeSlot(UnsafeBufferPointer(rebasing: $0[start...])) }
            slots[slot] = Int32(id)
        }
    }

    /// One more than the highest identifier.
    var endID: Int { spans.count }

    /// The bytes of a token, nil for an identifier without one.
    subscript(id: Int32) -> ArraySlice<UInt8>? {
        guard id >= 0, id < spans.count, spans[Int(id)].start >= 0 else { return nil }
        return arena[Int(spans[Int(id)].start)..<Int(spans[Int(id)].end)]
    }

    /// The identifier of a token, −1 when it is not in the vocabulary. O(length).
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32 {
        var slot = Int(truncatingIfNeeded: hashBytes(token)) & (slots.count - 1)
        while slots[slot] >= 0, !equals(slots[slot], token) { slot = (slot + 1) & (slots.count - 1) }
        return slots[slot]
    }

    func id(of token: some Sequence<UInt8>) -> Int32 { Array(token).withUnsafeBufferPointer { id(of: $0) } }

    /// For each scalar below U+10000 the token that consists of it, −1 where there is none. O(tokens).
    func idsOfScalars() -> [Int32] {
        var ids = [Int32](repeating: -1, count: 0x10000)
        for id in spans.indices where 1...3 ~= spans[id].end - spans[id].start {
            let bytes = arena[Int(spans[id].start)..<Int(spans[id].end)]
            let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
            if let scalar = scalars.first, scalars.count == 1 { ids[Int(scalar.value)] = Int32(id) }
        }
        return ids
    }

    private func equals(_ id: Int32, _ token: UnsafeBufferPointer<UInt8>) -> Bool {
        let span = spans[Int(id)]
        guard Int(span.end - span.start) == token.count else { return false }
        return arena.withUnsafeBufferPointer { arena in
            for offset in 0..<token.count where arena[Int(span.start) + offset] != token[offset] { return false }
            return true
        }
    }

    private func freeSlot(_ token: UnsafeBufferPointer<UInt8>) -> Int {
        var slot = Int(truncatingIfNeeded: hashBytes(token)) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }
}

/// A hash of short byte strings, eight bytes a step. It does not depend on the process.
@inline(__always)
func hashBytes(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset + 8 <= bytes.count {
        hash = mix(hash ^ UnsafeRawPointer(bytes.baseAddress! + offset).loadUnaligned(as: UInt64.self))
        offset += 8
    }
    var rest: UInt64 = 0
    while offset < bytes.count {
        rest = rest << 8 | UInt64(bytes[offset])
        offset += 1
    }
    return mix(hash ^ rest)
}

/// Folds the 128-bit product with an odd constant.
@inline(__always)
func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0x2D35_8DCC_AA6C_78A5).multipliedFullWidth(by: 0x8BB8_4B93_962E_ACC9)
    return product.high ^ product.low
}
