import CanonicalJSON
import StageGraph
import StudentJobs
import Subprocess
import SystemPackage

/// The worker program ended without doing its job.
public struct StudentProcessError: Error, CustomStringConvertible {
    public let description: String
}

/// Runs a job in a `retort-student` process: the job as a file, progress as JSON Lines on its standard output.
///
/// The worker holds the read end of a pipe as its standard input, saves its state and exits soon after that closes, so
/// it does not go on without `retort`, however `retort` ends.
public struct StudentProcess: Sendable {
    public static let program = "retort-student"

    /// The path of the program.
    private let path: String
    /// Where the job's file goes.
    private let directory: String
    private let onProgress: @Sendable (WorkerEvent) -> Void

    /// - Parameters:
    ///   - path: of the program.
    ///   - directory: for the job's file; the caller removes it.
    ///   - onProgress: receives steps and progress as they come.
    public init(path: String, directory: String, onProgress: @escaping @Sendable (WorkerEvent) -> Void) {
        self.path = path
        self.directory = directory
        self.onProgress = onProgress
    }

    /// The worker of an action, which shows its progress.
    init(context: any ActionContext) throws {
        self.init(path: try context.program(StudentProcess.program), directory: context.scratchDirectory) {
            context.report($0.json.object!)
        }
    }

    /// Does one job. Jobs in the same directory have names of their own.
    ///
    /// - Throws: ``StudentProcessError`` with the worker's own message, or how it died; `CancellationError`.
    public func run(_ job: StudentJob, name: String = "job") async throws -> WorkSummary {
        let jobFile = "\(directory)/\(name).json"
        try FileBytes.write(job.json.canonicalBytes, to: jobFile)
        var options = PlatformOptions()
        // A run that is stopped ends within two seconds; training that cannot save its state by then has an older one.
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(1))]
        let outcome = try await Subprocess.run(
            .path(FilePath(path)), arguments: [jobFile],
            environment: .inherit.updating(["OMP_NUM_THREADS": "\(job.threads)"]),
            platformOptions: options, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
            async let errors = tail(of: execution.standardError)
            let end = try await follow(execution.standardOutput)
            return (end, try await errors)
        }
        try Task.checkCancellation()
        let (end, errors) = outcome.closureResult
        switch (end, outcome.terminationStatus) {
        case (.done(let summary)?, .exited(0)): return summary
        case (.failed(let message)?, _): throw StudentProcessError(description: message)
        case (_, let status):
            let said = errors.isEmpty ? "" : "; it said last: \(errors)"
            throw StudentProcessError(
                description: """
                    the worker \(StudentProcess.program) ended early (\(describe(status)))\(said). Nothing that was \
                    finished is lost: run again; if it was out of memory, lower the batch size or --jobs
                    """)
        }
    }

    /// Reports progress until the worker closes its output, and returns its last word.
    private func follow(_ output: SubprocessOutputSequence) async throws -> WorkerEvent? {
        var end: WorkerEvent?
        for try await line in output.strings() {
            guard let event = try? WorkerEvent(line: line.utf8) else { continue }
            switch event {
            case .step, .progress: onProgress(event)
            case .done, .failed: end = event
            }
        }
        return end
    }

    /// The last few lines, so that a talkative library cannot fill the memory.
    private func tail(of output: SubprocessOutputSequence) async throws -> String {
        var lines: [String] = []
        for try await line in output.strings() {
            lines.append(String(line.prefix(500)))
            if lines.count > 5 { lines.removeFirst() }
        }
        return lines.joined(separator: " | ")
    }

    private func describe(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "exit status \(code)"
        case .signaled(9): "killed by signal 9, as the kernel does when memory runs out"
        case .signaled(let signal): "killed by signal \(signal)"
        }
    }
}
