import CanonicalJSON
import ContentStore
import Teachers

/// Answers as they travel: a line that says what follows, then the lines of an exported ledger, sorted by key.
enum LedgerSegment {
    private static let header: JSON = ["format": "retort-ledger/1"]
    /// How much content a segment gets, as far as answers are smaller.
    static let bytes = 4 << 20
    /// The most that is read: the longest line that an import takes, and what stands before it.
    static let maximumBytes = LedgerFile.longestLine + bytes

    static var beginning: [UInt8] { header.canonicalBytes + [0x0A] }

    /// Takes over the answers of a segment.
    ///
    /// - Returns: What identifies them, and how many the ledger did not have.
    /// - Throws: ``MalformedSegment`` for content of another format; then nothing of it is taken over. ``LedgerError``.
    static func read(
        _ content: [UInt8], name: String, into ledger: ResponseLedger
    ) throws -> (answers: [Digest], new: Int) {
        var entries: [LedgerEntry] = []
        for (index, line) in content.split(separator: 0x0A).enumerated() {
            func malformed(_ problem: String) -> MalformedSegment {
                MalformedSegment(segment: name, line: index + 1, problem: problem)
            }
            guard let object = (try? JSON.parse(line))?.object else { throw malformed("is no JSON object") }
            if index == 0 {
                guard JSON.object(object) == header else {
                    throw malformed("does not say \(header.canonicalText): a newer Retort may have written it")
                }
                continue
            }
            do {
                entries.append(try LedgerEntry(json: object))
            } catch {
                throw malformed("\(error)")
            }
        }
        let new = try ledger.record(entries)
        return (entries.compactMap { answer($0.key, revision: $0.revision) }, new)
    }

    /// What an exchange calls an answer: its request, and for one that took another's place also which it is.
    static func answer(_ key: RequestKey, revision: Int) -> Digest? {
        revision == 0 ? Digest(bytes: key.bytes) : Digest(of: "teacher-ledger \(key) \(revision)")
    }
}

/// A segment that is no part of a ledger, or of one that a newer Retort keeps.
struct MalformedSegment: Error, Sendable, Equatable, CustomStringConvertible {
    let segment: String
    /// From 1.
    let line: Int
    let problem: String

    var description: String { "\(segment), line \(line), \(problem); it is not used" }
}
