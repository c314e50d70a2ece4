/// The printable characters that stand for bytes in byte-level vocabularies (GPT-2).
///
/// Printable Latin-1 characters stand for themselves; the other 68 bytes are U+0100 onwards in order.
enum ByteAlphabet {
    /// The scalar of each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (0..<256).map { (byte: UInt32) -> UInt32 in
            if 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte { return byte }
            defer { next += 1 }
            return next
        }
    }()

    /// For each scalar below `bytes.count` its byte, or −1.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: Int(scalars.max()!) + 1)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
        return bytes
    }()

    /// The bytes that a token's characters stand for; nil when one of them stands for none.
    static func decode(_ token: some Sequence<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        for scalar in String(decoding: Array(token), as: UTF8.self).unicodeScalars {
            guard scalar.value < bytes.count, bytes[Int(scalar.value)] >= 0 else { return nil }
            decoded.append(UInt8(bytes[Int(scalar.value)]))
        }
        return decoded
    }

    /// The characters that stand for bytes.
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(Unicode.Scalar(scalars[Int(byte)])!) }
        return String(text)
    }

    /// Number of UTF-8 bytes of a byte's character.
    static func width(_ byte: UInt8) -> Int { scalars[Int(byte)] < 0x80 ? 1 : 2 }
}
