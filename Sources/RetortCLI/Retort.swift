import ArgumentParser
import ContentStore
import Glibc

/// The `retort` program: parses a command line, builds a request, calls a library and renders what comes back.
public struct Retort: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "retort",
        abstract: "Distils the reasoning of a large language model into a small one, from a pipeline file.",
        version: "0.1.0",
        subcommands: [
            RunCommand.self, PlanCommand.self, ShowCommand.self, ExportCommand.self, TraceCommand.self,
            DiffCommand.self, CompareCommand.self, GraphCommand.self, SchemaCommand.self, DoctorCommand.self,
            StagesCommand.self,
            StoreCommand.self,
            KeyCommand.self,
            LedgerCommand.self, ServeTeacherCommand.self,
            ScoreCommand.self, GenerateCommand.self, CheckpointCommand.self, TokenizerCommand.self, AlignCommand.self,
        ])

    public init() {}

    /// Parses the process's arguments, runs the command and exits: 0 for success, 1 when a stage failed, 2 for a
    /// mistake in the command line or the pipeline, 130 when interrupted.
    public static func run() async -> Never {
        Allocator.keepLargeBlocksApart()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            exit(.success)
        } catch ExitStatus.interrupted {
            // Actions that did not listen may still be at it: the usual end would destroy what they use.
            _exit(ExitStatus.interrupted.rawValue)
        } catch let error as ExitStatus {
            exit(error)
        } catch {
            let text = fullMessage(for: error)
            guard exitCode(for: error) == .validationFailure else {
                if exitCode(for: error) == .success { StandardStream.output.line(text) } else { complain(error) }
                exit(exitCode(for: error) == .success ? .success : .failure)
            }
            StandardStream.error.line(text)
            exit(.usage)
        }
    }

    private static func complain(_ error: any Error) { StandardStream.error.line("error: \(error)") }

    private static func exit(_ status: ExitStatus) -> Never { exit(withError: ExitCode(status.rawValue)) }
}

/// How the program ends. Thrown by a command that has said what there is to say.
enum ExitStatus: Int32, Error {
    case success = 0
    case failure = 1
    case usage = 2
    case interrupted = 130
}
