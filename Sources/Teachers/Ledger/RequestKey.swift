import CanonicalJSON
import Crypto

/// The identity of a teacher call: SHA-256 of the normalised request.
///
/// Normalised means canonical JSON of the teacher's identity, the messages, the sampling parameters and the sample
/// index, and of the question's id only where the answer depends on it. Nothing else enters: no time-out, concurrency
/// or key.
public struct RequestKey: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The key of a request as this teacher would answer it. O(length of the messages).
    public init(_ request: TeacherRequest, to teacher: any Teacher) {
        self.init(request, teacher: teacher.identity.canonicalBytes, answersByID: teacher.answersByID)
    }

    /// - Parameter teacher: the canonical encoding of the teacher's identity.
    init(_ request: TeacherRequest, teacher: [UInt8], answersByID: Bool) {
        var object = JSONObject([
            ("messages", .array(request.messages.map(\.json))), ("sampling", request.sampling.json),
            ("sample", .integer(Int64(request.sampleIndex))),
        ])
        if answersByID { object["id"] = .string(request.id) }
        var hash = SHA256()
        hash.update(data: Self.domain)
        withUnsafeBytes(of: UInt64(teacher.count).littleEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: teacher)
        hash.update(data: JSON.object(object).canonicalBytes)
        bytes = Array(hash.finalize())
    }

    private static let domain = Array("retort.teacher-request/1\n".utf8)

    /// From 64 hexadecimal digits in lower case; nil for anything else.
    public init?(hexadecimal text: String) {
        let digits = text.utf8.compactMap { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        guard digits.count == 64, text.utf8.count == 64 else { return nil }
        bytes = stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// 64 hexadecimal digits.
    public var description: String { hexadecimal(bytes) }
}
