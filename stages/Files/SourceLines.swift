import CanonicalJSON
import ContentStore
import StageGraph

/// A mistake in a data file: file, line and cause.
struct DataFileError: Error, CustomStringConvertible {
    let description: String

    init(_ file: String, line: Int? = nil, _ problem: String) {
        description = "\(file)\(line.map { ":\($0)" } ?? ""): \(problem)"
    }
}

/// A source file's content, decompressed when it is a zstd file.
enum SourceBytes {
    /// What a compressed file may decompress to.
    private static let maximumBytes = 8 << 30

    static func plain(_ context: any ActionContext, role: String) throws -> [UInt8] {
        try Zstandard.decompressIfCompressed(
            context.sourceBytes(role), name: context.source(role).written, limit: maximumBytes)
    }
}

/// The objects of a JSON Lines file, plain or zstd-compressed, each with its line number. One at a time, so that a large
/// file is not in memory twice.
struct SourceLines {
    /// The file as the user wrote its path.
    let name: String
    private let bytes: [UInt8]

    init(_ context: any ActionContext, role: String) throws {
        name = context.source(role).written
        bytes = try SourceBytes.plain(context, role: role)
    }

    /// - Throws: What `body` throws; ``DataFileError`` for a line that is no JSON object, or where there is none. Blank
    ///   lines are passed over.
    func read(_ body: (_ line: Int, JSONObject) throws -> Void) throws {
        var isEmpty = true
        try SourceLines.read(bytes, name: name) { line, object in
            isEmpty = false
            try body(line, object)
        }
        if isEmpty { throw DataFileError(name, "holds no records; a JSON Lines file has one JSON object a line") }
    }

    static func parse(_ bytes: [UInt8], name: String) throws -> [(line: Int, object: JSONObject)] {
        var objects: [(line: Int, object: JSONObject)] = []
        try read(bytes, name: name) { objects.append(($0, $1)) }
        return objects
    }

    private static func read(
        _ bytes: [UInt8], name: String, _ body: (_ line: Int, JSONObject) throws -> Void
    ) throws {
        try bytes.withUnsafeBufferPointer { buffer in
            var start = buffer.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            var number = 1
            while start < buffer.count {
                let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) ?? buffer.count
                let line = UnsafeBufferPointer(rebasing: buffer[start..<end])
                if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
                    try body(number, object(line, name: name, line: number))
                }
                start = end + 1
                number += 1
            }
        }
    }

    private static func object(
        _ line: UnsafeBufferPointer<UInt8>, name: String, line number: Int
    ) throws -> JSONObject {
        let value: JSON
        do throws(JSONSyntaxError) {
            value = try JSON.parse(line)
        } catch {
            throw DataFileError("\(name):\(number):\(error.column)", error.message)
        }
        guard let object = value.object else {
            throw DataFileError(name, line: number, "is \(value.kind); each line has to be a JSON object")
        }
        return object
    }
}

/// Finds ids that two lines share, and names both lines.
struct UniqueIDs {
    let name: String
    private var lines: [[UInt8]: Int] = [:]

    init(file name: String) { self.name = name }

    mutating func insert(_ id: String, line: Int) throws {
        if let first = lines.updateValue(line, forKey: Array(id.utf8)) {
            throw DataFileError(
                name, line: line,
                "the id \(JSON.string(id).canonicalText) stands in line \(first) already; ids are unique")
        }
    }
}
