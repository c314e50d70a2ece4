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

    func open(access: LocalStore.Access = .readWrite) throws -> LocalStore { try LocalStore(at: path, access: access) }

    /// A store to look after. Unlike a run's, it has to be there: nothing is wrong with a store that a typing mistake
    /// has just made.
    func openExisting(access: LocalStore.Access = .readWrite) throws -> LocalStore {
        guard Glibc.access(path, F_OK) == 0 else { throw MissingStore(path: path) }
        return try open(access: access)
    }
}

/// A command that looks after a store found none.
struct MissingStore: Error, CustomStringConvertible {
    let path: String

    var description: String { "there is no store at \(path); --store DIR names another, and the first run makes one" }
}

struct PipelineOptions: ParsableArguments {
    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(name: .customLong("set"), help: "Gives a pipeline parameter another value: name=value.")
    var overrides: [String] = []

    func load() throws -> Pipeline { try loadFile().pipeline }

    func loadFile() throws -> PipelineFile {
        let pairs = try overrides.map { text -> (name: String, value: String) in
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw ValidationError("--set takes name=value, found \"\(text)\"")
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
        do throws(InvalidPipeline) {
            return try PipelineFile.load(path: file, overrides: pairs, library: .edit)
        } catch {
            throw error.reported()
        }
    }
}

extension InvalidPipeline {
    /// Prints every diagnostic; what is returned ends the command.
    func reported() -> ExitStatus {
        for diagnostic in diagnostics { StandardStream.error.line("\(diagnostic)") }
        return .usage
    }
}

extension Pipeline {
    /// The stages a user means; a name without the brackets of a matrix stands for all its variants.
    func names(matching targets: [String]) throws -> [String] {
        do throws(InvalidPipeline) {
            return try stageNames(matching: targets)
        } catch {
            throw error.reported()
        }
    }
}

struct TargetOptions: ParsableArguments {
    @Option(name: .customLong("target"), help: "Only this stage and what it depends on; may be given several times.")
    var targets: [String] = []

    func restrict(_ pipeline: Pipeline) throws -> Pipeline {
        targets.isEmpty ? pipeline : pipeline.restricted(to: try pipeline.names(matching: targets))
    }
}

struct JobOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "CPU slots; the number of cores unless given.")
    var jobs: Int?

    var count: Int { jobs ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("--jobs takes a number of at least 1") }
    }
}

struct EngineOptions: ParsableArguments {
    @OptionGroup var jobOptions: JobOptions

    @Option(help: "Stages that may use an accelerator at a time.")
    var accelerators = 1

    @Option(
        help: """
            Actions that may wait for a teacher behind an API at a time, beside those that have a CPU slot. How many \
            requests they send is ruled by the teacher's own limits.
            """)
    var networkCalls = 32

    func validate() throws {
        if accelerators < 1 { throw ValidationError("--accelerators takes a number of at least 1") }
        if networkCalls < 1 { throw ValidationError("--network-calls takes a number of at least 1") }
    }

    func engine(_ store: LocalStore, keepGoing: Bool = false, explains: Bool = false) -> Engine {
        Engine(
            store: store,
            options: Engine.Options(
                jobs: jobOptions.count, accelerators: accelerators, networkCalls: networkCalls, keepGoing: keepGoing,
                programs: Programs.besideThisOne(), explains: explains))
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
