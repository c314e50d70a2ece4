import ArgumentParser
import CanonicalJSON
import ContentStore
import Dispatch
import Glibc
import LedgerSharing
import PipelineFile
import Scheduling
import StageGraph
import Stages
import StoreTiers
import Synchronization

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs what has to run, and nothing else.")

    @OptionGroup var pipelineOptions: PipelineOptions
    @OptionGroup var targetOptions: TargetOptions
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions
    @OptionGroup var engineOptions: EngineOptions
    @OptionGroup var teacherOptions: TeacherOptions

    @Flag(help: "After a failure, go on with what does not depend on it.")
    var keepGoing = false

    @Flag(help: "Say why each action runs.")
    var explain = false

    @Flag(help: "Fails when a tier that may be written to did not get every result and every paid answer.")
    var requirePush = false

    @Option(help: "How many seconds to wait at the end for results and paid answers on their way to a tier.")
    var pushWait = 60

    @Option(help: "json writes events as JSON Lines to standard output; the last line is the summary.")
    var format = OutputFormat.text

    func run() async throws {
        let file = try pipelineOptions.loadFile()
        let pipeline = try targetOptions.restrict(file.pipeline)
        let display: any RunDisplay =
            format == .json ? EventStream() : ProgressLines(pipeline: pipeline, explains: explain)
        let (store, tiers) = try tierOptions.open(storeOptions, for: file) { display.show(.warning($0)) }
        let team = tiers.map { tiers in
            TeamLedger(behind: tiers, of: store, ledger: LedgerAccess.path(in: store.localDirectory)) {
                display.show(.warning($0))
            }
        }
        teacherOptions.apply(team: team)
        var engine = engineOptions.engine(
            store, keepGoing: keepGoing, explains: explain || format == .json)
        engine.options.refreshed = teacherOptions.refreshed(pipeline)
        let work = Task { [engine] in try await engine.run(pipeline, observer: { display.show($0) }) }
        let signals = InterruptSignals { work.cancel() }
        defer { signals.cancel() }
        let report = try await work.value
        let deadline = ContinuousClock.now + .seconds(report.status == .interrupted ? 0 : pushWait)
        var pending: [any CustomStringConvertible] = []
        // Answers are paid for whatever became of the run.
        if report.status != .interrupted, TeacherSession.current.hasAsked {
            pending += await team?.push(within: deadline - .now) ?? []
        }
        pending += await tiers?.finish(within: max(.zero, deadline - .now)) ?? []
        for pending in pending { display.show(.warning("\(pending)")) }
        display.finish()
        switch format {
        case .json: StandardStream.output.line(RunSummary(report).json.canonicalText)
        case .text: StandardStream.output.line(try RunSummary(report).text(store: store, pipeline: pipeline))
        }
        switch report.status {
        case .ok: if requirePush && !pending.isEmpty { throw ExitStatus.failure }
        case .failed: throw ExitStatus.failure
        case .interrupted: throw ExitStatus.interrupted
        }
    }
}

/// Turns SIGINT, SIGTERM and SIGHUP into a call, instead of the end of the process. The second of them ends it at once:
/// the store can take that at any moment.
///
/// Sendable unchecked: Dispatch's sources may be used from any thread, but are not declared so on Linux.
final class InterruptSignals: @unchecked Sendable {
    private let sources: [any DispatchSourceSignal]

    init(_ handler: @escaping @Sendable () -> Void) {
        let arrived = Mutex(0)
        sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number in
            let before = signal(number, SIG_IGN)
            // Under nohup the end of the terminal is no reason to stop.
            if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                return nil
            }
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                let isFirst = arrived.withLock { count in
                    count += 1
                    return count == 1
                }
                if isFirst { handler() } else { _exit(ExitStatus.interrupted.rawValue) }
            }
            source.activate()
            return source
        }
        signal(SIGPIPE, SIG_IGN)
    }

    func cancel() { for source in sources { source.cancel() } }
}
