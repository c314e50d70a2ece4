import ContentStore

/// A pseudo-random order of records that depends on each record's own name alone: inserting or deleting one record
/// moves no other.
struct SeededOrder {
    /// What the order is used for; two purposes give independent orders.
    let purpose: String
    let seed: Int

    /// A record's place in the order.
    func place(of id: String, in group: String = "") -> Digest {
        var encoder = CanonicalEncoder(domain: "retort.seeded-order/1")
        encoder.field("purpose", purpose)
        encoder.field("seed", seed)
        encoder.field("group", group)
        encoder.field("id", id)
        return encoder.digest()
    }

    /// The place as a number in [0, 1), uniform over ids.
    func fraction(of id: String, in group: String = "") -> Double {
        let bits = place(of: id, in: group).bytes.prefix(7).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } >> 3
        return Double(bits) * 0x1p-53
    }
}
