import ArgumentParser
import CanonicalJSON
import PipelineFile

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks whether a run would find what it needs: the worker, the store, tiers and teachers.",
        discussion: """
            With a pipeline file it also looks whether its tiers and teachers answer, and take the credentials. It makes no \
            paid call. The exit status is 1 while anything is wrong.
            """)

    @Argument(help: "A pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @Option(name: .customLong("set"), help: "Gives a pipeline parameter another value: name=value.")
    var overrides: [String] = []

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    @Option(help: "json writes a line of JSON for each finding.")
    var format = OutputFormat.text

    func run() async throws {
        let pipeline = try file.map { file in
            try PipelineOptions.parse([file] + overrides.flatMap { ["--set", $0] }).loadFile()
        }
        var doctor = Doctor()
        doctor.checkMachine()
        await doctor.checkWorker()
        doctor.checkStore(storeOptions)
        await doctor.checkTiers(tierOptions, storeOptions, for: pipeline)
        if let pipeline { await doctor.checkTeachers(pipeline) }
        for finding in doctor.findings {
            switch format {
            case .text:
                StandardStream.output.line("\(finding.verdict.rawValue): \(finding.subject): \(finding.text)")
            case .json:
                let line: JSON = [
                    "subject": .string(finding.subject), "verdict": .string(finding.verdict.rawValue),
                    "text": .string(finding.text),
                ]
                StandardStream.output.line(line.canonicalText)
            }
        }
        if !doctor.isWell { throw ExitStatus.failure }
    }
}
