import ArgumentParser
import CanonicalJSON
import Glibc
import StudentJobs

struct CheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Looks into checkpoints and adapters, and writes them in other forms.",
        subcommands: [InspectCommand.self, MergeCommand.self, ConvertCommand.self])

    struct InspectCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inspect", abstract: "Says what a checkpoint or adapter directory holds, and checks it.")

        @Argument(help: "A Hugging Face checkpoint directory, or a PEFT adapter directory.", completion: .directory)
        var directory: String

        @Option(help: "json writes one JSON object.")
        var format = OutputFormat.text

        func run() async throws {
            let text = try await StudentSession.run { [self] session in
                let output = "\(session.folder)/inspection.json"
                _ = try await session.run(.inspect(InspectionJob(directory: directory, output: output)))
                return try session.text(output)
            }
            guard format == .text, let object = try JSON.parse(text).object else {
                return StandardStream.output.line(text)
            }
            for line in InspectionText.lines(object) { StandardStream.output.line(line) }
        }
    }

    struct MergeCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "merge", abstract: "Merges an adapter into its checkpoint.")

        @Option(help: "The adapter's base checkpoint.", completion: .directory)
        var checkpoint: String

        @Option(help: "A PEFT adapter directory.", completion: .directory)
        var adapter: String

        @OptionGroup var target: ConversionOptions

        func run() async throws { try await target.convert(checkpoint, adapter: adapter) }
    }

    struct ConvertCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "convert", abstract: "Writes a checkpoint in another type or in other files.")

        @Option(help: "The checkpoint to read.", completion: .directory)
        var checkpoint: String

        @OptionGroup var target: ConversionOptions

        func run() async throws { try await target.convert(checkpoint, adapter: nil) }
    }
}

/// What checkpoint merge and convert write.
struct ConversionOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The directory to write; must not exist, or be empty.", completion: .directory)
    var output: String

    @Option(help: "The type of all tensors: float32, bfloat16 or float16; each keeps its own unless given.")
    var dtype: ConversionJob.ElementType?

    @Option(help: "Size of a file, at most: a number of bytes, or with K, M or G behind it; one file unless given.")
    var shardSize: ByteCount?

    func convert(_ checkpoint: String, adapter: String?) async throws {
        try await StudentSession.run { [self] session in
            _ = try await session.run(
                .convert(
                    ConversionJob(
                        checkpoint: checkpoint, adapter: adapter, output: output, type: dtype,
                        shardBytes: shardSize?.bytes)))
        }
        StandardStream.error.line("wrote \(output)")
    }
}

extension ConversionJob.ElementType: ExpressibleByArgument {}

/// A number of bytes as people write it: 500M, 5G.
struct ByteCount: ExpressibleByArgument, Equatable {
    let bytes: Int

    init?(argument: String) {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let unit = argument.last.flatMap { units[Character($0.uppercased())] }
        guard let number = Int(unit == nil ? argument : String(argument.dropLast())), number > 0 else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow else { return nil }
        self.bytes = bytes
    }
}
