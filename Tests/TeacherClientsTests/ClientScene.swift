import CanonicalJSON
import Foundation
import Synchronization
import TeacherClients
import TeacherServer
import Testing

@testable import Teachers

/// A teacher server in this process, and a client that waits in no real time.
struct ClientScene {
    let server: TeacherServer
    let clock = SkippingClock()
    let spending: SpendingLimit
    let remarks = Remarks()
    private let registry: ServiceRegistry
    private let stop = StopSignal()

    init(
        _ faults: [String] = [], settings: ServerSettings = ServerSettings(), spending: SpendingLimit = SpendingLimit()
    ) async throws {
        var settings = settings
        settings.faults = try faults.map { try FaultRule($0) }
        server = try await TeacherServer(settings)
        self.spending = spending
        registry = ServiceRegistry(clock: clock.clock)
    }

    func parameters(_ change: (inout ChatTeacherParameters) -> Void = { _ in }) throws -> ChatTeacherParameters {
        var parameters = ChatTeacherParameters(
            endpoint: try ChatEndpoint(server.url), model: "synthetic",
            timeouts: .init(connect: .seconds(10), firstByte: .seconds(60), total: .seconds(60)),
            prices: TokenPrices(prompt: 1, completion: 2), pollInterval: .milliseconds(1))
        change(&parameters)
        return parameters
    }

    private var surroundings: ChatTeacher.Surroundings {
        ChatTeacher.Surroundings(
            spending: spending, stop: stop, onRemark: { remarks.add($0) }, sleep: { clock.skip($0) }, draw: { 0.5 })
    }

    func teacher(_ change: (inout ChatTeacherParameters) -> Void = { _ in }) throws -> ChatTeacher {
        let parameters = try parameters(change)
        return ChatTeacher(parameters, service: registry.service(parameters), surroundings: surroundings)
    }

    func batchTeacher(_ change: (inout ChatTeacherParameters) -> Void = { _ in }) throws -> BatchChatTeacher {
        let parameters = try parameters(change)
        return BatchChatTeacher(parameters, service: registry.service(parameters), surroundings: surroundings)
    }

    /// The token that a batch carries.
    func token(ofBatch number: Int) throws -> String {
        try #require(server.metadata(ofBatch: number)?["retort"]?.string)
    }

    /// The description of the failure that asking ends in; nil when it does not fail.
    func failure(of teacher: ChatTeacher, id: String = "q1") async -> String? {
        do {
            _ = try await teacher.respond(to: ClientScene.question(id))
            return nil
        } catch {
            return "\(error)"
        }
    }

    static func question(_ id: String, _ text: String = "Is not True True?", maxTokens: Int = 200) -> TeacherRequest {
        TeacherRequest(
            id: id, messages: [.user("Q: \(text) (\(id))\nA:")], sampling: SamplingParameters(maxTokens: maxTokens))
    }
}

/// A clock for which waiting takes no time.
final class SkippingClock: Sendable {
    private let time = Mutex(Duration.zero)

    /// How much was waited for.
    var now: Duration { time.withLock { $0 } }

    func skip(_ duration: Duration) { time.withLock { $0 += max(duration, .zero) } }

    var clock: EndpointGate.Clock { EndpointGate.Clock(now: { self.now }, sleep: { self.skip($0) }) }
}

final class Remarks: Sendable {
    private let texts = Mutex<[String]>([])
    var all: [String] { texts.withLock { $0 } }
    func add(_ text: String) { texts.withLock { $0.append(text) } }
}

/// A ledger in a folder of its own, removed in the end.
final class LedgerFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "clients-\(UUID().uuidString)")
    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }
    func open() throws -> ResponseLedger { try ResponseLedger(path: url.appending(path: "ledger.sqlite").path) }
}
