/// Puts a prefix before a text that is not empty. The prefix belongs to the first character.
struct PrependNormalizer: Normalizer {
    let prefix: [UInt8]

    /// A prefix of a few characters beside a character.
    var growth: Int { prefix.count + 1 }

    func normalize(_ text: inout MappedText) {
        guard let origin = text.origins.first else { return }
        text.bytes.insert(contentsOf: prefix, at: 0)
        text.origins.insert(contentsOf: repeatElement(origin, count: prefix.count), at: 0)
    }
}
