import CanonicalJSON

/// The file of one action result.
///
/// Canonical JSON whose first member is the SHA-256 of all that follows it, so that damage is seen without parsing:
///
/// ```
/// {"checksum":"…","format":"retort-action/1","key":"…","outputs":…,"preimage":…,"provenance":…,"references":["…"]}
/// ```
enum ActionDocument {
    static let format = "retort-action"
    static let formatVersion = 1
    /// Larger files are no results.
    static let maximumBytes = 64 << 20

    enum Reading: Equatable {
        case result(ActionResult)
        case unusable(String)
        case newer(format: String)
    }

    private static let referencesOpening: StaticString = #","references":"#
    private static let opening = Array("{\"checksum\":\"".utf8)
    /// Where what the checksum covers starts: after the opening, 64 digits, a quotation mark and a comma.
    private static let bodyStart = opening.count + 66

    static func encode(_ result: ActionResult, key: Digest) -> [UInt8] {
        let body = JSON.object(
            JSONObject([
                ("format", .string("\(format)/\(formatVersion)")), ("key", .string(key.hex)),
                ("outputs", result.outputs), ("preimage", result.preimage), ("provenance", result.provenance),
            ]))
        let members = body.canonicalBytes
        var bytes = opening
        bytes.reserveCapacity(bodyStart + members.count + 32 + 67 * result.references.count)
        // The place of the checksum, the body without its opening brace, and the references, the last of its members.
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 64))
        bytes.append("\",")
        bytes.append(contentsOf: members.dropFirst().dropLast())
        bytes.append(referencesOpening)
        bytes.append(listOf: result.references)
        bytes.append("}")
        let checksum = bytes.withUnsafeBytes { Digest(of: UnsafeRawBufferPointer(rebasing: $0[bodyStart...])) }
        bytes.replaceSubrange(opening.count..<opening.count + 64, with: checksum.hex.utf8)
        return bytes
    }

    static func decode(_ bytes: [UInt8], key: Digest) -> Reading {
        guard bytes.count > bodyStart, bytes.starts(with: opening) else {
            return unreadable(bytes, "it does not start with its checksum")
        }
        let digits = bytes[opening.count..<opening.count + 64]
        let checksum = Digest(of: bytes[bodyStart...])
        guard digits.elementsEqual(checksum.hex.utf8) else { return unreadable(bytes, "its checksum does not match") }
        // A memo refers to every shard of its stage, so references are not made JSON values of.
        let (rest, references) = splitReferences(bytes) ?? (bytes, nil)
        let document: JSONObject
        do throws(JSONSyntaxError) {
            guard let object = try JSON.parse(rest).object else { return .unusable("it is no JSON object") }
            document = object
        } catch {
            return .unusable("it is no JSON (\(error))")
        }
        return decode(document, references, key: key)
    }

    /// The document without its last member, and the digests that this lists. Nil where the document does not end as
    /// ``encode(_:key:)`` ends it. O(size).
    private static func splitReferences(_ bytes: [UInt8]) -> ([UInt8], [Digest])? {
        bytes.withUnsafeBufferPointer { buffer -> (Int, [Digest])? in
            func stands(_ text: StaticString, before end: Int) -> Bool {
                let start = end - text.utf8CodeUnitCount
                return start >= 0
                    && buffer[start..<end].elementsEqual(
                        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
            }
            guard stands("]}", before: buffer.count) else { return nil }
            var end = buffer.count - 2
            var digests: [Digest] = []
            digests.reserveCapacity(min(buffer.count / 67, 1 << 20))
            while !stands("[", before: end) {
                guard digests.isEmpty || stands(",", before: end) else { return nil }
                if !digests.isEmpty { end -= 1 }
                guard end >= 66, stands("\"", before: end), buffer[end - 66] == UInt8(ascii: "\""),
                    let digest = Digest(hexDigits: UnsafeBufferPointer(rebasing: buffer[end - 65..<end - 1]))
                else { return nil }
                digests.append(digest)
                end -= 66
            }
            guard stands(referencesOpening, before: end - 1) else { return nil }
            digests.reverse()
            return (end - 1 - referencesOpening.utf8CodeUnitCount, digests)
        }.map { (Array(bytes[..<$0]) + [UInt8(ascii: "}")], $1) }
    }

    private static func decode(_ document: JSONObject, _ known: [Digest]?, key: Digest) -> Reading {
        do throws(JSONFieldError) {
            let text = try document.string("format")
            if let newer = newerFormat(text) { return .newer(format: newer) }
            guard text == "\(format)/\(formatVersion)" else { return .unusable("it has the format \"\(text)\"") }
            let named = try document.string("key")
            guard named == key.hex else { return .unusable("it is the result of another key, \(named.prefix(12))") }
            var references = known ?? []
            for value in try known == nil ? document.array("references") : [] {
                guard let text = value.string, let digest = Digest(hex: text) else {
                    return .unusable("a reference is no digest")
                }
                references.append(digest)
            }
            guard let outputs = document["outputs"], let preimage = document["preimage"],
                let provenance = document["provenance"]
            else { return .unusable("it is incomplete") }
            return .result(
                ActionResult(preimage: preimage, outputs: outputs, provenance: provenance, references: references))
        } catch {
            return .unusable("its \(error)")
        }
    }

    /// A newer format may have another checksum rule, so it is looked for before the file is called damaged.
    private static func unreadable(_ bytes: [UInt8], _ reason: String) -> Reading {
        if let value = try? JSON.parse(bytes), let text = value["format"]?.string, let newer = newerFormat(text) {
            return .newer(format: newer)
        }
        return .unusable(reason)
    }

    /// The error of meeting a result that only a newer program can read.
    static func newer(_ path: String, _ found: String) -> ContentStoreError {
        ContentStoreError(
            .newerFormat, path,
            "this result was written by a newer Retort (\(found); this program reads \(format)/\(formatVersion))",
            remedy: "update Retort, or choose another store with --store")
    }

    private static func newerFormat(_ text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == format, let version = Int(parts[1]), version > formatVersion else {
            return nil
        }
        return text
    }
}
