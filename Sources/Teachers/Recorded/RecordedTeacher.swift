import CanonicalJSON
import Crypto

/// A teacher that reads its answers from a file of JSON Lines, by the question's id. The prompt is not looked at.
public struct RecordedTeacher: Teacher {
    /// Which members of a line hold what.
    public struct Fields: Sendable, Equatable {
        public var id: String
        public var cot: String

        public init(id: String = "id", cot: String = "cot") {
            self.id = id
            self.cot = cot
        }
    }

    public let fields: Fields
    private let recordings: [[UInt8]: String]
    private let digest: String

    /// Reads all recordings.
    ///
    /// - Parameters:
    ///   - jsonLines: the file's content, decompressed.
    ///   - file: its name in messages.
    /// - Throws: ``RecordingError`` for the first line that is no object with both fields, and for a repeated id.
    /// - Complexity: O(bytes); holds the answers in memory.
    public init(jsonLines: [UInt8], file: String, fields: Fields = Fields()) throws(RecordingError) {
        var recordings: [[UInt8]: String] = [:]
        var lines: [[UInt8]: Int] = [:]
        for (index, line) in jsonLines.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            let number = index + 1
            let (id, cot) = try Self.recording(line, fields, file: file, number: number)
            if let earlier = lines.updateValue(number, forKey: id) {
                throw RecordingError(
                    file: file, line: number,
                    problem: "the id \"\(String(decoding: id, as: UTF8.self))\" stands on line \(earlier) already")
            }
            recordings[id] = cot
        }
        self.recordings = recordings
        self.fields = fields
        digest = hexadecimal(SHA256.hash(data: jsonLines))
    }

    private static func recording(
        _ line: ArraySlice<UInt8>, _ fields: Fields, file: String, number: Int
    ) throws(RecordingError) -> (id: [UInt8], cot: String) {
        do {
            guard let object = try JSON.parse(line).object else {
                throw RecordingError(file: file, line: number, problem: "is no JSON object")
            }
            return (Array(try object.string(fields.id).utf8), try object.string(fields.cot))
        } catch let error as JSONSyntaxError {
            throw RecordingError(file: file, line: number, problem: "column \(error.column): \(error.message)")
        } catch let error as RecordingError {
            throw error
        } catch {
            throw RecordingError(file: file, line: number, problem: String(describing: error))
        }
    }

    public var name: String { "recorded" }

    public var answersByID: Bool { true }

    /// Names the recordings by their digest, so that another file is another teacher.
    public var identity: JSON {
        [
            "kind": "recorded", "id-field": .string(fields.id), "cot-field": .string(fields.cot),
            "recordings": .string("sha256:\(digest)"),
        ]
    }

    /// Number of recordings.
    public var count: Int { recordings.count }

    /// - Throws: ``TeacherError`` with the code ``TeacherError/Code/noRecording`` for an unknown id.
    public func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        guard let text = recordings[Array(request.id.utf8)] else {
            throw TeacherError(.noRecording, "there is no recorded answer", questionID: request.id)
        }
        return TeacherResponse(text: text)
    }
}

/// A file of recordings cannot be read.
public struct RecordingError: Error, Sendable, Equatable, CustomStringConvertible {
    public let file: String
    /// From 1.
    public let line: Int
    public let problem: String

    public var description: String { "\(file):\(line): \(problem)" }
}

/// Lower-case hexadecimal digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
