public import CanonicalJSON

/// The content of shards: canonical JSON Lines, sorted by id.
public enum CanonicalRecords {
    /// One line a record, sorted by the UTF-8 bytes of the ids, each ended by a line feed.
    ///
    /// - Throws: ``ContentStoreError`` with code `malformed` for a record that is no object, has no string `id`, or an
    ///   id that another has too.
    /// - Complexity: O(size + n log n).
    public static func encode(_ records: [JSON]) throws -> [UInt8] {
        var keyed = try records.enumerated().map { (id: try id(of: $0.element, "record \($0.offset + 1)"), $0.element) }
        keyed.sort { compareUTF8($0.id, $1.id) < 0 }
        var bytes: [UInt8] = []
        for (index, record) in keyed.enumerated() {
            if index > 0, compareUTF8(keyed[index - 1].id, record.id) == 0 {
                throw malformed("a record", "has the id \(JSON.string(record.id).canonicalText), which another has too")
            }
            record.1.write(to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    /// The records of a shard's content.
    ///
    /// - Parameter name: What to call the content in errors.
    /// - Throws: ``ContentStoreError`` with code `malformed`, naming the line: no JSON, no string `id`, ids out of
    ///   order or repeated, or a last line without line feed.
    /// - Complexity: O(size).
    public static func decode(_ bytes: [UInt8], name: String = "shard content") throws -> [JSON] {
        var records: [JSON] = []
        var previous: String?
        try lines(of: bytes, name: name) { number, line in
            let subject = "\(name), line \(number)"
            let record: JSON
            do throws(JSONSyntaxError) {
                record = try JSON.parse(line)
            } catch {
                throw malformed(subject, "column \(error.column): \(error.message)")
            }
            let id = try id(of: record, subject)
            if let previous, compareUTF8(previous, id) >= 0 {
                throw malformed(subject, "the id \(JSON.string(id).canonicalText) is repeated or out of order")
            }
            previous = id
            records.append(record)
        }
        return records
    }

    /// Calls `body` with each line's number, from 1, and its bytes without the line feed.
    private static func lines(
        of bytes: [UInt8], name: String, _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Void
    ) throws {
        try bytes.withUnsafeBufferPointer { buffer in
            guard buffer.last == nil || buffer.last == UInt8(ascii: "\n") else {
                throw malformed(name, "the last line has no line feed")
            }
            var start = 0
            var number = 1
            for index in buffer.indices where buffer[index] == UInt8(ascii: "\n") {
                try body(number, UnsafeBufferPointer(rebasing: buffer[start..<index]))
                start = index + 1
                number += 1
            }
        }
    }

    private static func id(of record: JSON, _ subject: String) throws(ContentStoreError) -> String {
        guard let object = record.object else { throw malformed(subject, "is \(record.kind), not an object") }
        do throws(JSONFieldError) {
            return try object.string("id")
        } catch {
            throw malformed(subject, "\(error)")
        }
    }

    private static func malformed(_ subject: String, _ problem: String) -> ContentStoreError {
        ContentStoreError(
            .malformed, subject, problem, remedy: "correct the stage that makes these records, and run it again")
    }
}
