import CanonicalJSON
import Foundation
import Reasoning
import Synchronization
import Testing

@testable import Teachers

/// A folder of its own, removed in the end.
private final class Folder {
    let url = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")
    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }
    var ledger: String { url.appending(path: "ledger.sqlite").path }
}

/// Answers with its name and the message, and fails where the message says so.
private final class EchoTeacher: Teacher {
    let model: String
    let calls = Mutex(0)
    init(_ model: String = "m") { self.model = model }
    var identity: JSON { ["kind": "echo", "model": .string(model)] }
    var name: String { "echo" }
    var concurrency: Int { 8 }

    func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        let call = calls.withLock {
            $0 += 1
            return $0
        }
        let content = request.messages.first?.content ?? ""
        if content.hasPrefix("drop") { throw TeacherError(.noRecording, "nothing", questionID: request.id) }
        if content.hasPrefix("stop") { throw TeacherError(.other, "the endpoint is gone") }
        return TeacherResponse(
            text: "\(content) \(call)", finishReason: .other("content_filter"),
            usage: .init(promptTokens: 3, completionTokens: 4),
            mistakes: [Mistake(kind: .logical, span: 0..<1)])
    }
}

private func request(_ content: String, id: String = "q", sample: Int = 0) -> TeacherRequest {
    TeacherRequest(id: id, messages: [.user(content)], sampleIndex: sample)
}

@Suite("The response ledger")
struct ResponseLedgerTests {
    @Test("answers a second time from the file, byte for byte")
    func remembers() async throws {
        let folder = try Folder()
        let first = LedgeredTeacher(EchoTeacher(), ledger: try ResponseLedger(path: folder.ledger))
        let answer = try await first.respond(to: request("a"))
        #expect(first.tally == .init(calls: 1, saved: 0))
        let second = LedgeredTeacher(EchoTeacher(), ledger: try ResponseLedger(path: folder.ledger))
        #expect(try await second.respond(to: request("a", id: "another question")) == answer)
        #expect(second.tally == .init(calls: 0, saved: 1))
    }

    @Test("tells calls apart by teacher, messages, sampling and sample index, and by nothing else")
    func keysRequests() throws {
        let teacher = EchoTeacher()
        let base = request("a")
        let key = RequestKey(base, to: teacher)
        var others: [TeacherRequest] = [request("b"), request("a", sample: 1)]
        for change: (inout SamplingParameters) -> Void in [
            { $0.temperature = 0.3 }, { $0.temperature = nil }, { $0.topP = 0.9 }, { $0.maxTokens = 100 },
            { $0.seed = 1 }, { $0.stop = ["x"] },
        ] {
            var changed = base
            change(&changed.sampling)
            others.append(changed)
        }
        var system = base
        system.messages.insert(ChatMessage(role: .system, content: ""), at: 0)
        var assistant = base
        assistant.messages[0].role = .assistant
        others += [system, assistant]
        let keys = others.map { RequestKey($0, to: teacher) } + [RequestKey(base, to: EchoTeacher("n")), key]
        #expect(Set(keys).count == keys.count)
        #expect(RequestKey(request("a", id: "other"), to: teacher) == key)
        #expect(key.description == "87efa5bdb5e5473c126758147481a5f05dc991dfba3708bda6fe5972c1d4ee54")
    }

    @Test("includes the question's id for teachers that answer by it")
    func keysRecordedByID() throws {
        let teacher = try RecordedTeacher(jsonLines: [], file: "f")
        #expect(
            RequestKey(request("a", id: "1"), to: teacher) != RequestKey(request("a", id: "2"), to: teacher))
    }

    @Test("answers batches in order, asks each new request once and keeps no failure")
    func answersBatches() async throws {
        let folder = try Folder()
        let echo = EchoTeacher()
        let teacher = LedgeredTeacher(echo, ledger: try ResponseLedger(path: folder.ledger))
        let contents = (0..<3000).map { $0 % 10 == 7 ? "drop \($0)" : "text \($0 % 1000)" }
        let results = await teacher.respond(to: contents.map { request($0) })
        #expect(results.count == 3000)
        for (content, result) in zip(contents, results) {
            switch result {
            case .success(let response): #expect(response.text.hasPrefix(content + " "))
            case .failure(let error): #expect(error.code == .noRecording && content.hasPrefix("drop"))
            }
        }
        #expect(echo.calls.withLock { $0 } == 900 + 300)
        #expect(teacher.tally == .init(calls: 1200, saved: 1800))
        #expect(try ResponseLedger(path: folder.ledger).count() == 900)
        let again = await teacher.respond(to: contents.map { request($0) })
        #expect(again.compactMap { try? $0.get() } == results.compactMap { try? $0.get() })
        #expect(teacher.tally == .init(calls: 1500, saved: 4500))
    }

    @Test("stops asking when the teacher as a whole fails, and keeps what came before")
    func stopsOnFailure() async throws {
        let folder = try Folder()
        let echo = EchoTeacher()
        let teacher = LedgeredTeacher(echo, ledger: try ResponseLedger(path: folder.ledger))
        let requests = (0..<5000).map { request($0 == 100 ? "stop" : "text \($0)") }
        let results = await teacher.respond(to: requests)
        #expect(results.count == 5000)
        #expect(results.last == .failure(TeacherError(.other, "the endpoint is gone")))
        #expect(echo.calls.withLock { $0 } < 200)
        #expect(try ResponseLedger(path: folder.ledger).count() == results.count { (try? $0.get()) != nil })
    }

    @Test("serves several writers of one file at once, and the first answer stays")
    func isShared() async throws {
        let folder = try Folder()
        let ledgers = try (0..<4).map { _ in try ResponseLedger(path: folder.ledger) }
        let teachers = ledgers.map { LedgeredTeacher(EchoTeacher(), ledger: $0) }
        await withTaskGroup(of: Void.self) { group in
            for (number, teacher) in teachers.enumerated() {
                group.addTask {
                    let requests = (0..<300).map { request("text \($0 + number * 100)") }
                    let results = await teacher.respond(to: requests)
                    #expect(results.allSatisfy { (try? $0.get()) != nil })
                }
            }
        }
        #expect(try ledgers[0].count() == 600)
        let keys = (0..<600).map { RequestKey(request("text \($0)"), to: EchoTeacher()) }
        let known = try ledgers.map { try $0.responses(for: keys) }
        #expect(known.allSatisfy { $0.count == 600 && $0 == known[0] })
    }

    @Test("explains a file that is no database, and how to go on")
    func reportsCorruption() throws {
        let folder = try Folder()
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: folder.ledger))
        #expect { try ResponseLedger(path: folder.ledger) } throws: {
            String(describing: $0)
                == "response ledger \(folder.ledger): the file is not a sound database (file is not a database). Move it"
                + " away together with its -wal and -shm files, or restore a copy; a new ledger is made on the next run."
        }
        #expect(try Data(contentsOf: URL(filePath: folder.ledger)).count == 8192)
    }

    @Test("explains a page that was damaged on disk")
    func reportsDamagedPage() async throws {
        let folder = try Folder()
        do {
            let ledger = try ResponseLedger(path: folder.ledger)
            let entries = (0..<2000).map {
                LedgerEntry(
                    key: RequestKey(request("\($0)"), to: EchoTeacher()), origin: .init(teacher: "echo"), day: "",
                    response: TeacherResponse(text: "t\($0)"))
            }
            try ledger.record(entries)
        }
        let file = URL(filePath: folder.ledger)
        var bytes = try Data(contentsOf: file)
        for index in 4096..<bytes.count { bytes[index] = 0xEE }
        try bytes.write(to: file)
        let error = #expect(throws: LedgerError.self) {
            let ledger = try ResponseLedger(path: folder.ledger)
            _ = try ledger.responses(for: (0..<2000).map { RequestKey(request("\($0)"), to: EchoTeacher()) })
        }
        #expect(error?.code == .corrupt)
    }

    @Test("explains a folder that is missing or cannot be written")
    func reportsUnwritable() throws {
        let folder = try Folder()
        let path = folder.url.appending(path: "missing/ledger.sqlite").path
        #expect { try ResponseLedger(path: path) } throws: {
            String(describing: $0)
                == "response ledger \(path): the file or its folder cannot be written (unable to open database file)."
                + " Make the folder writable, or choose another store with --store."
        }
    }

    @Test("leaves the file of a later version alone")
    func refusesLaterLayouts() throws {
        let folder = try Folder()
        _ = try ResponseLedger(path: folder.ledger)
        // Bytes 60 to 63 of an SQLite file hold user_version.
        var bytes = try Data(contentsOf: URL(filePath: folder.ledger))
        bytes.replaceSubrange(60..<64, with: [0, 0, 0, 9])
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: folder.ledger + suffix) }
        try bytes.write(to: URL(filePath: folder.ledger))
        let error = #expect(throws: LedgerError.self) { try ResponseLedger(path: folder.ledger) }
        #expect(error?.code == .tooNew)
        #expect(error?.cause == "its layout has version 9")
    }

    @Test("keeps every part of a response")
    func roundTrips() throws {
        let response = TeacherResponse(
            text: "é \u{1F600}\n\"x\"", finishReason: .length, usage: .init(promptTokens: 1, completionTokens: 2),
            mistakes: [Mistake(kind: .knowledge, span: 0..<2)])
        let object = try #require(response.json.object)
        #expect(try TeacherResponse(json: object) == response)
        let bare = TeacherResponse(text: "")
        #expect(try TeacherResponse(json: #require(bare.json.object)) == bare)
    }
}
