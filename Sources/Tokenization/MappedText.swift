/// Text on its way to the model that remembers where each of its bytes comes from.
struct MappedText {
    /// A span of UTF-8 bytes in the text that the user gave: a character, or several that became one.
    struct Origin: Equatable {
        var start: Int32
        var end: Int32
    }

    /// Valid UTF-8.
    var bytes: [UInt8]
    /// One for each byte.
    var origins: [Origin]

    init() { (bytes, origins) = ([], []) }

    /// Text that is its own origin.
    ///
    /// - Parameter base: the place of its first byte in the user's text.
    init(_ source: UnsafeBufferPointer<UInt8>, base: Int) {
        bytes = Array(source)
        origins = []
        origins.reserveCapacity(source.count)
        var offset = 0
        while offset < source.count {
            var end = offset + 1
            while end < source.count, source[end] & 0xC0 == 0x80 { end += 1 }
            let origin = Origin(start: Int32(base + offset), end: Int32(base + end))
            for _ in offset..<end { origins.append(origin) }
            offset = end
        }
    }

    mutating func append(_ other: MappedText, _ range: Range<Int>) {
        bytes.append(contentsOf: other.bytes[range])
        origins.append(contentsOf: other.origins[range])
    }

    mutating func append(_ new: some Collection<UInt8>, origin: Origin) {
        bytes.append(contentsOf: new)
        for _ in 0..<new.count { origins.append(origin) }
    }

    /// The origin of a range: from the beginning of its first byte's to the end of its last byte's.
    func origin(of range: Range<Int>) -> Range<Int> {
        Int(origins[range.lowerBound].start)..<Int(origins[range.upperBound - 1].end)
    }
}
