import CanonicalJSON
import Foundation
import Synchronization
import TeacherClients
import TeacherServer
import Testing

@testable import Teachers

@Suite("A place in flight")
struct KeptAnswerTests {
    @Test("is given to the next request only when the answer is kept")
    func holdsThePlace() async throws {
        let scene = try await ClientScene()
        let teacher = try scene.teacher { $0.limits.concurrency = 4 }
        let kept = Kept()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    _ = try? await teacher.respond(to: ClientScene.question("q\(number)")) { _ in
                        // Others have every opportunity to send theirs meanwhile.
                        for _ in 0..<50 { await Task.yield() }
                        kept.add(whileAsked: scene.server.requests)
                    }
                }
            }
        }
        #expect(kept.count == 200)
        #expect(kept.mostLost <= 4, "what a crash would cost")
    }

    @Test("is given back by an answer that cannot be kept, and nothing more is sent for the stage")
    func stopsWhenNothingCanBeKept() async throws {
        let scene = try await ClientScene()
        let teacher = try scene.teacher { $0.limits.concurrency = 2 }
        let full = TeacherError(.ledger, "response ledger x: no space is left on the disk", questionID: "q")
        let failures = await withTaskGroup(of: String?.self) { group in
            for number in 0..<50 {
                group.addTask {
                    do {
                        _ = try await teacher.respond(to: ClientScene.question("q\(number)")) { _ in throw full }
                        return nil
                    } catch {
                        return "\(error)"
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(failures == Array(repeating: full.description, count: 50))
        #expect(scene.server.requests <= 2)
    }

    @Test("is held until the ledger has the answer")
    func holdsUntilTheLedgerHasIt() async throws {
        let folder = try LedgerFolder()
        let scene = try await ClientScene()
        let ledger = try folder.open()
        let teacher = try scene.teacher { $0.limits.concurrency = 4 }
        let path = ledger.path
        let watched = WatchedTeacher(teacher) {
            let asked = scene.server.requests
            return asked - ((try? ResponseLedger(path: path).count()) ?? 0)
        }
        let results = await LedgeredTeacher(watched, ledger: ledger).respond(
            to: (0..<100).map { ClientScene.question("q\($0)") })
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        #expect(watched.mostLost <= 4)
    }
}

private final class Kept: Sendable {
    private let state = Mutex((count: 0, mostLost: 0))

    var count: Int { state.withLock(\.count) }
    /// The most requests that were not kept at any time.
    var mostLost: Int { state.withLock(\.mostLost) }

    func add(whileAsked asked: Int) {
        state.withLock { state in
            state.mostLost = max(state.mostLost, asked - state.count)
            state.count += 1
        }
    }
}

/// Looks, whenever an answer has been kept, how many requests another process would have to repeat.
private final class WatchedTeacher: Teacher {
    private let teacher: ChatTeacher
    private let lost: @Sendable () -> Int
    private let most = Mutex(0)

    init(_ teacher: ChatTeacher, lost: @escaping @Sendable () -> Int) {
        self.teacher = teacher
        self.lost = lost
    }

    var mostLost: Int { most.withLock { $0 } }
    var identity: JSON { teacher.identity }
    var name: String { teacher.name }
    var concurrency: Int { teacher.concurrency }

    func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        try await respond(to: request) { _ in }
    }

    func respond(
        to request: TeacherRequest, keep: @Sendable (TeacherResponse) async throws -> Void
    ) async throws -> TeacherResponse {
        try await teacher.respond(to: request) { response in
            try await keep(response)
            let lost = self.lost()
            self.most.withLock { $0 = max($0, lost) }
        }
    }
}
