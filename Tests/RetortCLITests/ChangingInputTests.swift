import CanonicalJSON
import Foundation
import Testing

/// Data files that change at awkward moments.
@Suite(.serialized) struct ChangingInputTests {
    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: small
            stages:
              questions:
                uses: import-questions
                with: { path: questions.jsonl }
            """, to: "small.yaml")
        return workplace
    }

    private func line(_ id: Int, answer: Int) -> String {
        #"{"id":"q\#(id)","task":"t","question":"What is it?","answer":"\#(answer)"}"# + "\n"
    }

    @Test func aFileThatChangesWhileItIsReadFailsTheActionAndTheNextRunIsRight() throws {
        let workplace = try workplace()
        let file = workplace.folder.appendingPathComponent("questions.jsonl").path
        let padding = String(repeating: "long ", count: 200_000)
        var text = line(0, answer: 1)
        for id in 1...15 {
            text += #"{"id":"q\#(id)","task":"t","question":"\#(padding)","answer":"1"}"# + "\n"
        }
        try workplace.write(text, to: "questions.jsonl")
        // Adds an empty line again and again.
        let writer = Process()
        writer.executableURL = URL(fileURLWithPath: "/bin/sh")
        writer.arguments = ["-c", "while :; do echo >> \"$0\"; done", file]
        try writer.run()
        defer { if writer.isRunning { kill(writer.processIdentifier, SIGKILL) } }
        var outcome = try workplace.retort("run", "small.yaml")
        // On a busy machine the writer may sleep all the time that a run takes.
        for _ in 0..<4 where outcome.status == 0 { outcome = try workplace.retort("run", "small.yaml") }
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("questions.jsonl"), "\(outcome.errors)")
        #expect(outcome.errors.contains("changed while"), "\(outcome.errors)")
        kill(writer.processIdentifier, SIGKILL)
        writer.waitUntilExit()
        let again = try workplace.retort("run", "small.yaml", "--format", "json")
        #expect(again.status == 0, "\(again.errors)")
        #expect(try again.stage("questions")["records_out"] == 16)
        #expect(try workplace.retort("store", "verify").status == 0)
    }

    /// As fast as a machine edits, and with the time set back as a copy with its times does.
    @Test func anEditOfTheSameSizeRightAfterARunIsSeen() throws {
        let workplace = try workplace()
        let file = workplace.folder.appendingPathComponent("questions.jsonl").path
        try workplace.write(line(0, answer: 1), to: "questions.jsonl")
        for answer in 2...6 {
            #expect(try workplace.retort("run", "small.yaml").status == 0)
            var status = stat()
            #expect(stat(file, &status) == 0)
            // In place: the same inode.
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
            try handle.write(contentsOf: Data(line(0, answer: answer).utf8))
            try handle.close()
            #expect(utimensat(AT_FDCWD, file, [status.st_atim, status.st_mtim], 0) == 0)
            let outcome = try workplace.retort("run", "small.yaml", "--format", "json")
            #expect(try outcome.stage("questions")["executed"] == 1, "answer \(answer): \(outcome.output)")
            #expect(try workplace.retort("show", "small.yaml", "questions").output.contains("\"answer\":\"\(answer)\""))
        }
    }
}
