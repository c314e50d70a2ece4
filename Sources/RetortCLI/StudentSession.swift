import ArgumentParser
import CanonicalJSON
import ContentStore
import Glibc
import Stages
import StudentJobs

/// How the worker computes, for the commands that start one.
struct ExecutionOptions: ParsableArguments {
    @Option(help: "float32, or bfloat16 for matrix products in it.")
    var precision = Precision.float32

    @Option(help: "Threads of tensor operations; the number of cores unless given.")
    var threads: Int?

    enum Precision: String, ExpressibleByArgument, CaseIterable {
        case float32
        case bfloat16
    }

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads takes a number of at least 1") }
    }

    var settings: ExecutionSettings {
        ExecutionSettings(
            precision: precision == .bfloat16 ? .bfloat16 : .float32,
            threads: threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
}

/// One job of a command, in a temporary folder that goes with it.
struct StudentSession {
    /// The folder for the job's files.
    let folder: String

    /// Makes a session for the time of `body`. SIGINT and SIGTERM stop the worker and end the command with status 130.
    ///
    /// - Throws: ``ExitStatus`` after a message; whatever `body` throws.
    static func run<Result: Sendable>(
        _ body: @escaping @Sendable (StudentSession) async throws -> Result
    ) async throws -> Result {
        let session = StudentSession(folder: try FileSystem.makeTemporaryFolder("retort"))
        defer { session.remove() }
        let work = Task { try await body(session) }
        let signals = InterruptSignals { work.cancel() }
        defer { signals.cancel() }
        do {
            return try await work.value
        } catch  where work.isCancelled {
            throw ExitStatus.interrupted
        }
    }

    /// Starts the worker with a job and shows its progress on a terminal.
    func run(_ job: StudentJob) async throws -> WorkSummary {
        guard let path = Programs.besideThisOne()[StudentProcess.program] else {
            throw StudentSessionError("\(StudentProcess.program) was not found next to retort; build both products")
        }
        let isTerminal = StandardStream.error.isTerminal
        let worker = StudentProcess(path: path, directory: folder) { event in
            guard isTerminal, case .progress(let progress) = event else { return }
            StandardStream.error.write(Array("\r\(progress.done) of \(progress.total) \(progress.unit)".utf8))
            if progress.done == progress.total { StandardStream.error.write([UInt8(ascii: "\n")]) }
        }
        do {
            return try await worker.run(job)
        } catch  where "\(error)".contains(copiedInput) {
            // The worker names the copy; the user gave standard input.
            throw StudentSessionError("\(error)".replacing(copiedInput, with: "standard input"))
        }
    }

    /// Where standard input is copied, for the worker to read.
    private var copiedInput: String { "\(folder)/input.jsonl" }

    /// The path of what a command reads: the file itself, or standard input copied into the folder.
    func input(_ path: String?) throws -> String {
        guard let path, path != "-" else {
            try copyBytes(from: STDIN_FILENO, name: "standard input", to: copiedInput)
            return copiedInput
        }
        guard access(path, R_OK) == 0 else { throw StudentSessionError.system(path, "cannot be read") }
        return path
    }

    /// Copies a file that the worker wrote to standard output.
    func show(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StudentSessionError.system(path, "cannot be opened") }
        defer { close(descriptor) }
        try pieces(of: descriptor, name: path) { StandardStream.output.write(Array($0)) }
    }

    /// The text of a file that the worker wrote, without the last line feed.
    func text(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StudentSessionError.system(path, "cannot be opened") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        try pieces(of: descriptor, name: path) { bytes += $0 }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func copyBytes(from descriptor: Int32, name: String, to path: String) throws {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw StudentSessionError.system(path, "cannot be created") }
        defer { close(target) }
        try pieces(of: descriptor, name: name) { piece in
            var offset = 0
            while offset < piece.count {
                let count = piece[offset...].withUnsafeBytes { write(target, $0.baseAddress!, $0.count) }
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw StudentSessionError.system(path, "cannot be written") }
                offset += count
            }
        }
    }

    private func pieces(of descriptor: Int32, name: String, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StudentSessionError.system(name, "cannot be read") }
            if count == 0 { return }
            try body(buffer[..<count])
        }
    }

    /// The folder is flat: files of this session and what the worker wrote.
    private func remove() {
        if let directory = opendir(folder) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { unlink("\(folder)/\(name)") }
            }
            closedir(directory)
        }
        rmdir(folder)
    }
}

/// A file of a command that cannot be used.
struct StudentSessionError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    static func system(_ path: String, _ problem: String) -> Self {
        Self("\(path): \(problem): \(String(cString: strerror(errno)))")
    }
}
