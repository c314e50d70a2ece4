import CanonicalJSON
import Foundation
import Testing

@testable import Teachers

/// Answers at once.
private struct ConstantTeacher: Teacher {
    var identity: JSON { "constant" }
    var name: String { "constant" }
    func respond(to request: TeacherRequest) async throws -> TeacherResponse { TeacherResponse(text: request.id) }
}

@Suite("The response ledger after a crash")
struct LedgerCrashTests {
    /// The files as another process would find them if this one were killed now: the ledger stays open meanwhile.
    @Test("has every answer that was handed out")
    func keepsWhatWasHandedOut() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let live = folder.appending(path: "live.sqlite").path
        let teacher = LedgeredTeacher(ConstantTeacher(), ledger: try ResponseLedger(path: live))
        for index in 0..<20 {
            let request = TeacherRequest(id: "\(index)", messages: [.user("\(index)")])
            _ = try await teacher.respond(to: request)
            let copy = folder.appending(path: "copy-\(index).sqlite").path
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: live + suffix, toPath: copy + suffix)
            }
            let survivor = try ResponseLedger(path: copy)
            #expect(try survivor.count() == index + 1)
            #expect(try survivor.response(for: RequestKey(request, to: ConstantTeacher()))?.text == "\(index)")
        }
    }
}
