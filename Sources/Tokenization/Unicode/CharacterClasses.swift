/// The character classes that split patterns use, as the regular expressions of Hugging Face's tokenizers have them.
///
/// Letters and numbers are \p{L} and \p{N} of Unicode 16; `numeric`, which the Digits pre-tokenizer goes by, adds the
/// numbers of Unicode 17. The tables belong to the library, so that identifiers do not depend on the toolchain.
enum CharacterClasses {
    static let letter: UInt8 = 1
    static let number: UInt8 = 2
    static let space: UInt8 = 4
    static let numeric: UInt8 = 8
    /// Carriage return and line feed, which are spaces too.
    static let newline: UInt8 = 16

    /// The classes of each code point, 0x110000 bytes.
    static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 0x110000)
        func add(_ ranges: [UInt32], _ classes: UInt8) {
            for index in stride(from: 0, to: ranges.count, by: 2) {
                for value in ranges[index]...ranges[index + 1] { table[Int(value)] |= classes }
            }
        }
        add(letters, letter)
        add(numbers, number | numeric)
        add(newNumbers, numeric)
        add(spaces, space)
        add([0x0A, 0x0A, 0x0D, 0x0D], newline)
        return table
    }()

    /// First and last scalar of each range of \s.
    private static let spaces: [UInt32] = [
        0x09, 0x0D, 0x20, 0x20, 0x85, 0x85, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F,
        0x205F, 0x205F, 0x3000, 0x3000,
    ]
}

/// Reads the scalars of valid UTF-8 and their classes.
struct ScalarReader {
    let bytes: UnsafeBufferPointer<UInt8>
    let classes: UnsafePointer<UInt8>

    /// The classes of the scalar at an offset, and the offset after it.
    @inline(__always)
    func classes(at offset: Int) -> (classes: UInt8, end: Int) {
        let first = bytes[offset]
        if first < 0x80 { return (classes[Int(first)], offset + 1) }
        let (value, end) = scalar(at: offset)
        return (classes[Int(value)], end)
    }

    /// The scalar at an offset, and the offset after it.
    @inline(__always)
    func scalar(at offset: Int) -> (value: UInt32, end: Int) {
        let first = UInt32(bytes[offset])
        if first < 0x80 { return (first, offset + 1) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | continuation(offset + 1), offset + 2) }
        if first < 0xF0 {
            return ((first & 0x0F) << 12 | continuation(offset + 1) << 6 | continuation(offset + 2), offset + 3)
        }
        let high = (first & 0x07) << 18 | continuation(offset + 1) << 12
        return (high | continuation(offset + 2) << 6 | continuation(offset + 3), offset + 4)
    }

    @inline(__always)
    private func continuation(_ offset: Int) -> UInt32 { UInt32(bytes[offset] & 0x3F) }
}
