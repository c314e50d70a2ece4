import CanonicalJSON

/// A ledger as JSON Lines: one entry a line, sorted by key, canonical. Two ledgers of the same calls are the same bytes.
public enum LedgerFile {
    /// What became of the lines of an import.
    public struct Import: Sendable, Equatable {
        public var lines = 0
        /// Entries that the ledger did not have.
        public var new = 0

        public init(lines: Int = 0, new: Int = 0) {
            self.lines = lines
            self.new = new
        }
    }

    /// The longest line that is read: 64 MiB.
    public static let longestLine = 64 << 20

    public static func line(_ entry: LedgerEntry) -> [UInt8] { entry.json.canonicalBytes + [0x0A] }

    /// Reads lines and takes over what is new; entries that the ledger has stay as they are.
    ///
    /// - Parameters:
    ///   - chunk: the next bytes of the file; nil at its end.
    ///   - file: its name in messages.
    /// - Throws: ``LedgerFileError`` for the first line that is no entry: what stood before it is imported; or
    ///   ``LedgerError``.
    public static func read(
        into ledger: ResponseLedger, file: String, chunk: () throws -> [UInt8]?
    ) throws -> Import {
        var result = Import()
        var pending: [LedgerEntry] = []
        var rest: [UInt8] = []
        func flush() throws {
            result.new += try ledger.record(pending)
            pending = []
        }
        func take(_ line: ArraySlice<UInt8>) throws {
            result.lines += 1
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return }
            do {
                pending.append(try entry(line, file: file, number: result.lines))
            } catch {
                try flush()
                throw error
            }
            if pending.count == ResponseLedger.batch { try flush() }
        }
        while let bytes = try chunk() {
            rest += bytes
            var start = 0
            while let end = rest[start...].firstIndex(of: 0x0A) {
                try take(rest[start..<end])
                start = end + 1
            }
            rest.removeFirst(start)
            guard rest.count <= longestLine else {
                try flush()
                throw LedgerFileError(file: file, line: result.lines + 1, problem: "is longer than 64 MiB")
            }
        }
        if !rest.isEmpty { try take(rest[...]) }
        try flush()
        return result
    }

    private static func entry(
        _ line: ArraySlice<UInt8>, file: String, number: Int
    ) throws(LedgerFileError) -> LedgerEntry {
        do {
            guard let object = try JSON.parse(line).object else {
                throw LedgerFileError(file: file, line: number, problem: "is no JSON object")
            }
            return try LedgerEntry(json: object)
        } catch let error as JSONSyntaxError {
            throw LedgerFileError(file: file, line: number, problem: "column \(error.column): \(error.message)")
        } catch let error as LedgerFileError {
            throw error
        } catch {
            throw LedgerFileError(file: file, line: number, problem: "\(error)")
        }
    }
}

/// A file that is no exported ledger.
public struct LedgerFileError: Error, Sendable, Equatable, CustomStringConvertible {
    public let file: String
    /// From 1.
    public let line: Int
    public let problem: String

    public var description: String {
        "\(file):\(line): \(problem); it should be a file that `retort ledger export` wrote"
    }
}
