import ArgumentParser
import ContentStore
import Dispatch
import Glibc
import PipelineFile
import Scheduling
import StageGraph
import Stages

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

struct StoreOptions: ParsableArguments {
    @Option(name: .customLong("store"), help: "The folder of the store.")
    var path = "artifacts"

    func open() throws -> LocalStore { try LocalStore(at: path) }
}

struct PipelineOptions: ParsableArguments {
    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(name: .customLong("set"), help: "Gives a pipeline parameter another value: name=value.")
    var overrides: [String] = []

    func load() throws -> Pipeline {
        let pairs = try overrides.map { text -> (name: String, value: String) in
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw ValidationError("--set takes name=value, found \"\(text)\"")
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
        do throws(InvalidPipeline) {
            return try PipelineFile.load(path: file, overrides: pairs, library: .edit).pipeline
        } catch {
            for diagnostic in error.diagnostics { StandardStream.error.line("\(diagnostic)") }
            throw ExitStatus.usage
        }
    }
}

struct TargetOptions: ParsableArguments {
    @Option(name: .customLong("target"), help: "Only this stage and what it depends on; may be given several times.")
    var targets: [String] = []

    func restrict(_ pipeline: Pipeline) throws -> Pipeline {
        guard !targets.isEmpty else { return pipeline }
        let names = try targets.flatMap { try StageSelection(pipeline).names(matching: $0) }
        return pipeline.restricted(to: names)
    }
}

/// Stages by the name a user gives; a name without the brackets of a matrix stands for all its variants.
struct StageSelection {
    let pipeline: Pipeline

    init(_ pipeline: Pipeline) { self.pipeline = pipeline }

    func names(matching name: String) throws -> [String] {
        if pipeline.stage(name) != nil { return [name] }
        let variants = pipeline.stages.map(\.name).filter { $0.hasPrefix("\(name)[") }
        guard variants.isEmpty else { return variants }
        let names = pipeline.stages.map(\.name)
        let nearest = nearestName(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? "."
        StandardStream.error.line(
            "error: the pipeline \(pipeline.name) has no stage \"\(name)\"\(nearest) The stages are: "
                + names.joined(separator: ", "))
        throw ExitStatus.usage
    }
}

struct EngineOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "CPU slots; the number of cores unless given.")
    var jobs: Int?

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("--jobs takes a number of at least 1") }
    }

    func engine(_ store: LocalStore, keepGoing: Bool = false) -> Engine {
        Engine(
            store: store,
            options: Engine.Options(
                jobs: jobs ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), keepGoing: keepGoing,
                programs: Programs.besideThisOne()))
    }
}

/// The programs that stages start lie in the same folder as this one.
enum Programs {
    static func besideThisOne() -> [String: String] {
        guard let path = realpath("/proc/self/exe", nil) else { return [:] }
        defer { free(path) }
        let folder = String(cString: path).split(separator: "/").dropLast().joined(separator: "/")
        let student = "/\(folder)/retort-student"
        return access(student, X_OK) == 0 ? ["retort-student": student] : [:]
    }
}
