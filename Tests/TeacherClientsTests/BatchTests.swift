import CanonicalJSON
import Foundation
import TeacherClients
import TeacherServer
import Testing

@testable import Teachers

@Suite("Batches")
struct BatchTests {
    private func texts(_ results: [Result<TeacherResponse, TeacherError>]) -> [String?] {
        results.map { try? $0.get().text }
    }

    private var questions: [TeacherRequest] { (0..<60).map { ClientScene.question("q\($0)") } }

    @Test("answer every question with its own answer, whatever the order of the rows")
    func matches() async throws {
        let folder = try LedgerFolder()
        let scene = try await ClientScene()
        let ledgered = LedgeredTeacher(try scene.batchTeacher(), ledger: try folder.open())
        let results = await ledgered.respond(to: questions)
        #expect(texts(results) == questions.map { SyntheticTeacher().answer($0).text })
        #expect(scene.server.batches == 1)
        #expect(scene.server.requests == 0)
        #expect(scene.spending.spent.calls == 60)
        let again = await LedgeredTeacher(try scene.batchTeacher(), ledger: try folder.open()).respond(to: questions)
        #expect(texts(again) == texts(results))
        #expect(scene.server.batches == 1)
        let direct = await LedgeredTeacher(try scene.teacher(), ledger: try folder.open()).respond(to: questions)
        #expect(texts(direct) == texts(results))
        #expect(scene.server.requests == 0, "both modes share answers")
    }

    @Test("that fail in part send the rest again, and no question that was answered")
    func sendsTheRestAgain() async throws {
        let folder = try LedgerFolder()
        let scene = try await ClientScene(["500~(q7)", "no-choices~(q8)"])
        let ledgered = LedgeredTeacher(try scene.batchTeacher { $0.attempts = 2 }, ledger: try folder.open())
        let results = await ledgered.respond(to: questions)
        #expect(results.count { (try? $0.get()) != nil } == 58)
        #expect(scene.server.batches == 2)
        #expect(scene.spending.spent.calls == 62)
        guard case .failure(let error) = results[7] else { return }
        #expect(
            error.description
                == "question \"q7\": \(scene.server.url), model synthetic: the batch answered 500: The server fails on"
                + " purpose. (2 batches)")
    }

    @Test("that were begun before a crash are found again, at whatever moment it came")
    func resumes() async throws {
        let folder = try LedgerFolder()
        let scene = try await ClientScene()
        let ledger = try folder.open()
        let origin = LedgerEntry.Origin(teacher: "synthetic", endpoint: scene.server.url)
        let teacher = try scene.batchTeacher()
        let asked = questions.map { BatchQuestion(key: RequestKey($0, to: teacher), request: $0) }
        // What the service has when the crash comes after the creation, before the answer to it was read.
        let answers = await teacher.respond(to: asked, ledger: ledger, origin: origin, replacing: false)
        #expect(answers.count == 60 && scene.server.batches == 1)

        for id in [nil, "batch-1"] {
            let other = try ResponseLedger(path: folder.url.appending(path: "other-\(id ?? "unknown")").path)
            try other.open(
                OpenBatch(
                    token: try scene.token(ofBatch: 1), endpoint: scene.server.url, model: "synthetic", stage: "",
                    batch: id, keys: asked.map(\.key)))
            let found = await teacher.respond(to: asked, ledger: other, origin: origin, replacing: false)
            #expect(found.mapValues { try? $0.get().text } == answers.mapValues { try? $0.get().text })
            #expect(scene.server.batches == 1)
            #expect(try other.openBatches(endpoint: scene.server.url).isEmpty)
            #expect(try other.count() == 60)
        }

        // The crash came before the creation: the batch is created now.
        let third = try ResponseLedger(path: folder.url.appending(path: "third").path)
        try third.open(
            OpenBatch(
                token: "never-sent", endpoint: scene.server.url, model: "synthetic", stage: "", keys: asked.map(\.key)))
        let new = await teacher.respond(to: asked, ledger: third, origin: origin, replacing: false)
        #expect(new.count == 60 && scene.server.batches == 2)
    }

    @Test("are not sent when they could cost more than allowed")
    func staysWithinLimits() async throws {
        let folder = try LedgerFolder()
        let scene = try await ClientScene(spending: SpendingLimit(maxCalls: 59))
        let results = await LedgeredTeacher(try scene.batchTeacher(), ledger: try folder.open()).respond(to: questions)
        #expect(results.allSatisfy { (try? $0.get()) == nil })
        #expect(scene.server.batches == 0)
    }
}

@Suite("A batch as a state machine")
struct BatchJobTests {
    private func status(_ state: BatchStatus.State, output: String? = nil, errors: String? = nil) -> BatchStatus {
        BatchStatus(id: "b", state: state, outputFile: output, errorFile: errors)
    }

    @Test("goes from the intention to the answers")
    func goesOn() {
        var job = BatchJob(token: "t")
        #expect(job.next == .upload)
        job.uploaded(file: "f")
        #expect(job.next == .create(file: "f"))
        job.saw(status(.validating))
        #expect(job.next == .poll(batch: "b"))
        job.saw(status(.inProgress))
        #expect(job.next == .poll(batch: "b"))
        job.saw(status(.completed, output: "o", errors: "e"))
        #expect(job.next == .collect(files: ["o", "e"]))
    }

    @Test("collects what an expired or cancelled batch has answered")
    func collectsParts() {
        var job = BatchJob(token: "t", state: .created(batch: "b"))
        job.saw(status(.expired, output: "o"))
        #expect(job.next == .collect(files: ["o"]))
    }

    @Test("gives up when there is nothing to collect")
    func givesUp() {
        var job = BatchJob(token: "t", state: .created(batch: "b"))
        job.saw(status(.failed))
        #expect(job.next == .giveUp("it ended as failed"))
    }

    @Test("asks first whether it was created, after a restart")
    func asksFirst() {
        var job = BatchJob(token: "t", state: .uncertain)
        #expect(job.next == .find)
        job.found(nil)
        #expect(job.next == .upload)
        var other = BatchJob(token: "t", state: .uncertain)
        other.found(status(.inProgress))
        #expect(other.next == .poll(batch: "b"))
    }
}
