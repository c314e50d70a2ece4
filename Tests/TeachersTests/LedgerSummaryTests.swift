import CanonicalJSON
import Foundation
import Synchronization
import Testing

@testable import Teachers

@Suite("What a ledger says and exchanges")
struct LedgerSummaryTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")

    private func ledger(_ name: String) throws -> ResponseLedger {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return try ResponseLedger(path: folder.appending(path: name).path)
    }

    private func entry(
        _ number: Int, model: String = "m", stage: String = "cots", day: String = "2026-01-02", cost: Double? = 0.5,
        reason: TeacherResponse.FinishReason = .stop
    ) -> LedgerEntry {
        LedgerEntry(
            key: RequestKey(bytes: [UInt8](repeating: UInt8(number), count: 32)),
            origin: .init(teacher: model, endpoint: "http://h/v1", stage: stage), day: day, cost: cost,
            response: TeacherResponse(
                text: "t\(number)", finishReason: reason, usage: .init(promptTokens: 10, completionTokens: number)))
    }

    @Test("calls, tokens and cost by model, stage, day and finish reason")
    func sumsUp() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let ledger = try ledger("a")
        #expect(try ledger.statistics().total.calls == 0)
        try ledger.record([
            entry(1), entry(2, model: "n", reason: .length), entry(3, stage: "rectified", day: "2026-01-03", cost: nil),
        ])
        let statistics = try ledger.statistics()
        #expect(
            statistics.total == .init(calls: 3, promptTokens: 30, completionTokens: 6, cost: 1, unpriced: 1))
        #expect(statistics.byModel.map(\.name) == ["m at http://h/v1", "n at http://h/v1"])
        #expect(statistics.byModel.map(\.totals.calls) == [2, 1])
        #expect(statistics.byStage.map(\.name) == ["cots", "rectified"])
        #expect(statistics.byDay.map(\.totals.completionTokens) == [3, 3])
        #expect(statistics.byFinishReason.map(\.name) == ["length", "stop"])
    }

    @Test("an export imported elsewhere is the same ledger, and known answers stay")
    func travels() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (one, other) = (try ledger("a"), try ledger("b"))
        try one.record((0..<200).map { entry($0) })
        var kept = entry(7)
        kept.response.text = "another answer"
        try other.record([kept])
        func export(_ ledger: ResponseLedger) throws -> [UInt8] {
            var bytes: [UInt8] = []
            try ledger.forEachEntry { bytes += LedgerFile.line($0) }
            return bytes
        }
        let exported = try export(one)
        var chunks = stride(from: 0, to: exported.count, by: 999).map {
            Array(exported[$0..<min($0 + 999, exported.count)])
        }
        chunks.reverse()
        let result = try LedgerFile.read(into: other, file: "f") { chunks.popLast() }
        #expect(result == .init(lines: 200, new: 199))
        #expect(try other.responses(for: [kept.key])[kept.key]?.text == "another answer")
        let third = try ledger("c")
        var whole: [UInt8]? = exported
        _ = try LedgerFile.read(into: third, file: "f") {
            defer { whole = nil }
            return whole
        }
        #expect(try export(third) == exported)
    }

    @Test(
        "a line that is no entry is named, and what stood before it is kept",
        arguments: [
            ("{\"key\":\"00\"}", "field \"key\" should be 64 hexadecimal digits"),
            ("[]", "is no JSON object"), ("{", "column 2: expected a key in quotes"),
        ])
    func refusesLines(line: String, problem: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let ledger = try ledger("a")
        var chunk: [UInt8]? = LedgerFile.line(entry(1)) + Array(line.utf8)
        let error = #expect(throws: LedgerFileError.self) {
            try LedgerFile.read(into: ledger, file: "x.jsonl") {
                defer { chunk = nil }
                return chunk
            }
        }
        #expect(error?.line == 2 && error?.file == "x.jsonl")
        #expect(error?.problem.hasPrefix(String(problem.prefix(12))) == true, "\(error?.problem ?? "")")
        #expect(try ledger.count() == 1)
    }

    @Test("a ledger of the first layout is taken over with its answers")
    func migrates() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.appending(path: "old").path
        try FirstLayout.write(entry(4).key, entry(4).response, to: path)
        let ledger = try ResponseLedger(path: path)
        #expect(try ledger.responses(for: [entry(4).key])[entry(4).key] == entry(4).response)
        #expect(
            try ledger.statistics().total
                == .init(calls: 1, promptTokens: 10, completionTokens: 4, cost: 0, unpriced: 1))
    }

    @Test("equal requests that are under way at once share one call")
    func shares() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let ledger = try ledger("a")
        let slow = GatedTeacher()
        let teachers = (0..<20).map { _ in LedgeredTeacher(slow, ledger: ledger) }
        let answers = teachers.map { teacher in
            Task { try await teacher.respond(to: TeacherRequest(id: "q", messages: [.user("same")])).text }
        }
        await slow.open(after: 1)
        for answer in answers { #expect(try await answer.value == "answer 1") }
        #expect(teachers.map(\.tally.calls).reduce(0, +) == 1)
        #expect(teachers.map(\.tally.saved).reduce(0, +) == 19)
    }

    @Test("answers that ended for a certain reason are asked for once more, and the new ones stay")
    func retries() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let ledger = try ledger("a")
        let teacher = CountingTeacher()
        let requests = (0..<10).map {
            TeacherRequest(id: "\($0)", messages: [.user("\($0 % 2 == 0 ? "cut" : "whole") \($0)")])
        }
        _ = await LedgeredTeacher(teacher, ledger: ledger).respond(to: requests)
        #expect(teacher.calls.withLock { $0 } == 10)
        let retry = AnswersToRetry(finishReasons: ["length"])
        for _ in 0..<2 {
            let again = await LedgeredTeacher(teacher, ledger: ledger, retry: retry).respond(to: requests)
            #expect(teacher.calls.withLock { $0 } == 15)
            #expect(try again[0].get().text == "11" || again[0].get().text > "10")
        }
        let last = await LedgeredTeacher(teacher, ledger: ledger).respond(to: requests)
        #expect(teacher.calls.withLock { $0 } == 15)
        #expect(try Int(last[0].get().text)! > 10 && Int(last[1].get().text)! <= 10)
    }
}

/// Answers with the number of the call; one whose message begins with "cut" is cut off.
private final class CountingTeacher: Teacher {
    let calls = Mutex(0)
    var identity: JSON { "counting" }
    var name: String { "counting" }

    func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        let call = calls.withLock {
            $0 += 1
            return $0
        }
        return TeacherResponse(
            text: "\(call)", finishReason: request.messages[0].content.hasPrefix("cut") ? .length : .stop)
    }
}

/// Answers when it is allowed to.
private final class GatedTeacher: Teacher {
    private struct State {
        var calls = 0
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    var identity: JSON { "gated" }
    var name: String { "gated" }

    func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        let call = state.withLock {
            $0.calls += 1
            return $0.calls
        }
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
        return TeacherResponse(text: "answer \(call)")
    }

    /// Waits for so many calls, then lets all through.
    func open(after calls: Int) async {
        while state.withLock({ $0.calls < calls }) { await Task.yield() }
        let waiting = state.withLock { state in
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
