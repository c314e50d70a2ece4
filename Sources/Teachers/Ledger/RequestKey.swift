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

    /// 64 hexadecimal digits.
    public var description: String { hexadecimal(bytes) }
}
