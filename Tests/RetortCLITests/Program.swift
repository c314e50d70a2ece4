import CanonicalJSON
import Foundation

/// Runs the programs this package builds, as a user would.
struct Program {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String

        /// The last line of `--format json`.
        var summary: JSON {
            get throws { try JSON.parse(output.split(separator: "\n").last.map(String.init) ?? "") }
        }

        /// A stage's row of the summary.
        func stage(_ name: String) throws -> JSON {
            let stages = try summary["stages"]?.array ?? []
            guard let stage = stages.first(where: { $0["stage"]?.string == name }) else {
                throw NoSuchStage(name: name, output: output, errors: errors)
            }
            return stage
        }
    }

    struct NoSuchStage: Error {
        let name: String
        let output: String
        let errors: String
    }

    /// Where swift build put the programs: the folder of the test bundle.
    static let folder: URL = {
        let candidates = [
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent(),
            packageRoot.appendingPathComponent(".build/debug"),
        ]
        return candidates.first {
            FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("retort").path)
        }!
    }()

    static let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The real data that lies beside a development checkout, where it does.
    static var sharedData: URL? {
        let folder = packageRoot.deletingLastPathComponent().appendingPathComponent("shared/data")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }

    static func start(
        _ arguments: [String], in directory: URL, input: URL? = nil, output: URL, errors: URL,
        executable: URL = folder.appendingPathComponent("retort")
    ) throws -> Process {
        for file in [output, errors] { FileManager.default.createFile(atPath: file.path, contents: nil) }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
        try process.run()
        return process
    }

    /// The workers a run has started, whichever of its threads did.
    static func workers(of parent: Int32) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { id in
            let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
            return status.contains("PPid:\t\(parent)\n") && status.contains("Name:\tretort-student")
        }
    }

    /// Whether a process has ended; one that nobody has waited for yet counts as ended.
    static func isGone(_ id: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8) else { return true }
        return status.contains("State:\tZ")
    }

    static func outcome(of process: Process, output: URL, errors: URL) throws -> Outcome {
        Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }
}

/// A folder with a copy of the shipped pipelines, removed with the value.
final class Workplace {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("retort-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Program.packageRoot.appendingPathComponent("pipelines"),
            to: folder.appendingPathComponent("pipelines"))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func write(_ text: String, to path: String) throws {
        let file = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
    }

    /// A pipeline `small.yaml` of questions and a map stage behind them.
    ///
    /// - Parameters:
    ///   - shard: records in a shard, at most.
    ///   - words: what the map stage writes after each question.
    func writeSmallPipeline(questions count: Int, shard: Int, after words: String = "Think.") throws {
        try write(
            """
            retort: 1
            name: small
            stages:
              questions:
                uses: synthetic-tasks
                with: { count: \(count), shard-records: \(shard) }
              worded:
                uses: question-wording
                inputs: { questions: questions }
                with: { after: " \(words)" }
            """, to: "small.yaml")
    }

    func read(_ path: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
    }

    /// A file of the default store.
    func store(_ path: String) -> String { folder.appendingPathComponent("artifacts/\(path)").path }

    @discardableResult
    func retort(_ arguments: String...) throws -> Program.Outcome { try retort(arguments) }

    func retort(_ arguments: [String], input text: String? = nil) throws -> Program.Outcome {
        try program(Program.folder.appendingPathComponent("retort").path, arguments, input: text)
    }

    /// Runs any program in the folder, with `text` as its standard input.
    func program(_ path: String, _ arguments: [String], input text: String? = nil) throws -> Program.Outcome {
        let id = UUID().uuidString
        let output = folder.appendingPathComponent(".output-\(id)")
        let errors = folder.appendingPathComponent(".errors-\(id)")
        let input = text.map { _ in folder.appendingPathComponent(".input-\(id)") }
        if let text, let input { try text.write(to: input, atomically: true, encoding: .utf8) }
        let process = try Program.start(
            arguments, in: folder, input: input, output: output, errors: errors,
            executable: URL(fileURLWithPath: path))
        process.waitUntilExit()
        return try Program.outcome(of: process, output: output, errors: errors)
    }
}
