import CanonicalJSON
import ContentStore
import Foundation
import StageGraph
import Synchronization
import Testing

@testable import Scheduling

/// Runs that are stopped while their actions do not react.
@Suite struct StoppingTests {
    /// Goes off when the test says so.
    private final class ManualAlarm: Sendable {
        private let calls = Mutex<[(delay: Duration, body: @Sendable () -> Void)]>([])

        var alarm: Alarm {
            Alarm { [self] delay, body in calls.withLock { $0.append((delay, body)) } }
        }

        var delays: [Duration] { calls.withLock { $0.map(\.delay) } }

        func goOff() { for call in calls.withLock({ $0 }) { call.body() } }
    }

    private func pipeline(_ type: String) throws -> Pipeline {
        let values = JSONObject((0..<60).map { ("n\($0)", .integer($0)) })
        return try .toys([
            Toy("numbers", "numbers", [], ["values": .object(values)]), Toy("deaf", type, [("numbers", ["numbers"])]),
        ])
    }

    /// Starts a run and waits until `count` actions run that do not listen.
    private func start(
        _ pipeline: Pipeline, _ engine: Engine, until count: Int, atItsEnd: @escaping @Sendable () -> Void = {}
    ) async -> Task<RunReport, any Error> {
        let started = AsyncStream<Void>.makeStream()
        let run = Task {
            defer { atItsEnd() }
            return try await engine.run(pipeline) { event in
                if case .actionStarted("deaf", _, _) = event { started.continuation.yield() }
            }
        }
        var left = count
        for await _ in started.stream {
            left -= 1
            if left == 0 { break }
        }
        return run
    }

    /// By the time of the test's own clock.
    @Test func aRunWaitsOneAndAHalfSecondsForItsActionsAndEndsWithoutThem() async throws {
        let (store, alarm) = (TemporaryStore(), ManualAlarm())
        var engine = try store.engine()
        engine.options.alarm = alarm.alarm
        let ended = Mutex(false)
        let run = await start(try pipeline("stubborn"), engine, until: 1) { ended.withLock { $0 = true } }
        #expect(alarm.delays.isEmpty)
        run.cancel()
        #expect(alarm.delays == [.milliseconds(1500)], "so that the program ends within two seconds")
        #expect(!ended.withLock { $0 }, "its actions still run, and their time is not over")
        alarm.goOff()
        let report = try await run.value
        #expect(report.status == .interrupted)
        #expect(report.failures.isEmpty)
        #expect(report.stage("numbers")!.status == .ok)
        #expect(report.stage("deaf")!.executed == 0)
        Stubborn.gate.open()
    }

    /// They would compute for ever.
    @Test(.timeLimit(.minutes(2))) func actionsThatHoldEveryProcessorDoNotKeepARunFromEnding() async throws {
        let store = TemporaryStore()
        let cores = ProcessInfo.processInfo.activeProcessorCount
        defer { Spinning.isOver.store(true, ordering: .relaxed) }
        let run = await start(try pipeline("spinning"), try store.engine(jobs: 2 * cores), until: cores)
        run.cancel()
        let report = try await run.value
        #expect(report.status == .interrupted)
        #expect(report.stage("deaf")!.executed == 0)
    }
}
