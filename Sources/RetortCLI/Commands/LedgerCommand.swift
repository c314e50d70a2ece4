import ArgumentParser
import CanonicalJSON
import ContentStore
import FoundationEssentials
import Glibc
import Stages
import Teachers

struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Looks after the memory of paid teacher calls.",
        subcommands: [
            StatsCommand.self, ExportCommand.self, ImportCommand.self, PushCommand.self, PullCommand.self,
        ])

    struct StatsCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stats", abstract: "Calls, tokens and cost by model, stage and day.")

        @OptionGroup var storeOptions: StoreOptions

        @Option(help: "json writes one JSON object.")
        var format = OutputFormat.text

        func run() throws {
            let statistics = try storeOptions.ledger(creating: false).statistics()
            switch format {
            case .json: StandardStream.output.line(statistics.json.canonicalText)
            case .text: StandardStream.output.line(LedgerText.lines(statistics).joined(separator: "\n"))
            }
        }
    }

    struct ExportCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Writes every answer as a line of JSON, for colleagues to import.")

        @OptionGroup var storeOptions: StoreOptions

        @Argument(help: "The file to write; - for standard output.", completion: .file())
        var file: String

        func run() throws {
            let ledger = try storeOptions.ledger(creating: false)
            let output = try LedgerOutput(file)
            var count = 0
            try ledger.forEachEntry { entry in
                try output.write(LedgerFile.line(entry))
                count += 1
            }
            try output.finish()
            StandardStream.error.line("exported \(count) answers")
        }
    }

    struct ImportCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Takes over answers that another ledger exported. What is known here already stays as it is.")

        @OptionGroup var storeOptions: StoreOptions

        @Argument(help: "A file that `retort ledger export` wrote; - for standard input.", completion: .file())
        var file: String

        func run() throws {
            let input = try LedgerInput(file)
            let ledger = try storeOptions.ledger(creating: true)
            let result = try LedgerFile.read(into: ledger, file: file, chunk: input.next)
            StandardStream.error.line("imported \(result.new) new answers, \(result.lines - result.new) were known")
        }
    }
}

extension StoreOptions {
    /// - Parameter creating: whether a store without a ledger gets one; else that is an error.
    func ledger(creating: Bool) throws -> ResponseLedger {
        let store = try open(access: creating ? .readWrite : .readOnly)
        let path = LedgerAccess.path(in: store.localDirectory)
        guard creating || access(path, F_OK) == 0 else {
            throw NoLedger(path: path)
        }
        return try ResponseLedger(path: path)
    }
}

/// A store in which no teacher was ever asked.
struct NoLedger: Error, CustomStringConvertible {
    let path: String

    var description: String {
        "there is no ledger \(path): no teacher was asked with this store yet; choose another with --store"
    }
}

/// Where an export goes: a file that appears when it is complete, or standard output.
final class LedgerOutput {
    private let path: String
    private let temporary: String
    private let file: UnsafeMutablePointer<FILE>

    init(_ path: String) throws {
        self.path = path
        temporary = path == "-" ? "" : "\(path).partial-\(getpid())"
        guard let file = path == "-" ? fdopen(1, "wb") : fopen(temporary, "wb") else {
            throw LedgerFileAccess(path: path, problem: "cannot be written: \(String(cString: strerror(errno)))")
        }
        self.file = file
    }

    deinit {
        if path != "-" { unlink(temporary) }
    }

    func write(_ bytes: [UInt8]) throws {
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw failure() }
    }

    func finish() throws {
        guard fflush(file) == 0 else { throw failure() }
        guard path != "-" else { return }
        guard fsync(fileno(file)) == 0, fclose(file) == 0, rename(temporary, path) == 0 else { throw failure() }
    }

    private func failure() -> LedgerFileAccess {
        LedgerFileAccess(path: path, problem: "cannot be written: \(String(cString: strerror(errno)))")
    }
}

/// Where an import comes from.
final class LedgerInput {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>

    init(_ path: String) throws {
        self.path = path
        guard let file = path == "-" ? fdopen(0, "rb") : fopen(path, "rb") else {
            throw LedgerFileAccess(path: path, problem: "cannot be read: \(String(cString: strerror(errno)))")
        }
        self.file = file
    }

    deinit {
        if path != "-" { fclose(file) }
    }

    func next() throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        if count == 0, ferror(file) != 0 {
            throw LedgerFileAccess(path: path, problem: "cannot be read: \(String(cString: strerror(errno)))")
        }
        return count == 0 ? nil : Array(bytes[..<count])
    }
}

struct LedgerFileAccess: Error, CustomStringConvertible {
    let path: String
    let problem: String

    var description: String { "\(path) \(problem)" }
}
