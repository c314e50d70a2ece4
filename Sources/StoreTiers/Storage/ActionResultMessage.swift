/// The one field of a Bazel `ActionResult` (remote execution API v2) that Retort uses: a document in `stdout_raw`.
///
/// Remote caches may check that what is put under `/ac/` is such a message, and may add fields of their own, so a
/// bare document would be refused by some of them. Source: build.bazel.remote.execution.v2, field 5, wire type 2.
enum ActionResultMessage {
    private static let stdoutRaw = 5

    static func encode(_ document: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(stdoutRaw << 3 | 2)]
        appendVarint(UInt64(document.count), to: &bytes)
        return bytes + document
    }

    /// The document in a message; nil for bytes that are no such message, or one without a document.
    static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        var rest = bytes[...]
        var document: [UInt8]?
        while !rest.isEmpty {
            guard let tag = takeVarint(&rest), tag >> 3 > 0 else { return nil }
            switch tag & 7 {
            case 0: guard takeVarint(&rest) != nil else { return nil }
            case 1: guard skip(8, &rest) else { return nil }
            case 5: guard skip(4, &rest) else { return nil }
            case 2:
                guard let count = takeVarint(&rest), count <= UInt64(rest.count) else { return nil }
                if tag >> 3 == UInt64(stdoutRaw) { document = Array(rest.prefix(Int(count))) }
                rest = rest.dropFirst(Int(count))
            default: return nil
            }
        }
        return document
    }

    private static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private static func takeVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func skip(_ count: Int, _ bytes: inout ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= count else { return false }
        bytes = bytes.dropFirst(count)
        return true
    }
}
