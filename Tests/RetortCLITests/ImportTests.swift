import CanonicalJSON
import Foundation
import Testing

/// Files in the layouts users have, through the real program.
@Suite struct ImportTests {
    private func records(_ workplace: Workplace, _ file: String, _ reference: String) throws -> [JSON] {
        let outcome = try workplace.retort("show", file, reference)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { try JSON.parse(String($0)) }
    }

    @Test func columnsAreMappedAndZstdFilesRead() throws {
        let workplace = try Workplace()
        try workplace.write(
            #"{"key":7,"prompt":"2 + 2 is","target":4}"# + "\n" + #"{"key":"b","prompt":"é?","target":"ja"}"# + "\n",
            to: "rows.jsonl")
        let zstd = Process()
        zstd.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        zstd.arguments = ["zstd", "-q", workplace.folder.appendingPathComponent("rows.jsonl").path]
        try zstd.run()
        zstd.waitUntilExit()
        for path in ["rows.jsonl", "rows.jsonl.zst"] {
            try workplace.write(
                """
                retort: 1
                name: mapped
                stages:
                  questions:
                    uses: import-questions
                    with: { path: \(path), task: sums, fields: { id: key, question: prompt, answer: target } }
                """, to: "mapped.yaml")
            #expect(try workplace.retort("run", "mapped.yaml").status == 0)
            let questions = try records(workplace, "mapped.yaml", "questions")
            #expect(
                questions == [
                    ["answer": "4", "id": "7", "question": "2 + 2 is", "task": "sums"],
                    ["answer": "ja", "id": "b", "question": "é?", "task": "sums"],
                ])
        }
    }

    @Test func bigBenchHardFilesAreRead() throws {
        let workplace = try Workplace()
        let examples =
            #"{"examples":[{"input":"a?","target":"(A)"},{"input":"b?","target":"(B)"},{"input":"a?","target":"(A)"}]}"#
        try workplace.write(examples, to: "bbh/snarks.json")
        try workplace.write(#"{"canary":"x","examples":[{"input":"c?","target":"No"}]}"#, to: "bbh/navigate.json")
        try workplace.write(
            """
            retort: 1
            name: bbh
            stages:
              all: { uses: import-bbh, with: { path: bbh } }
              one: { uses: import-questions, with: { path: bbh/snarks.json, format: bbh, task: snarks } }
            """, to: "bbh.yaml")
        #expect(try workplace.retort("run", "bbh.yaml").status == 0)
        let one = try records(workplace, "bbh.yaml", "one")
        #expect(one.count == 3)
        #expect(Set(one.map { $0["id"]!.string! }).count == 3)
        let all = try records(workplace, "bbh.yaml", "all")
        #expect(all.count == 4)
        #expect(all.filter { $0["task"] == "snarks" } == one)
    }

    @Test func addingAQuestionMovesNoOtherBetweenTrainAndTest() throws {
        let workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: halves
            stages:
              questions: { uses: import-questions, with: { path: rows.jsonl, task: t } }
              halves: { uses: split, inputs: { questions: questions }, with: { test-fraction: 0.3 } }
            """, to: "halves.yaml")
        func sets(_ ids: Range<Int>) throws -> (train: Set<String>, test: Set<String>) {
            let rows = ids.map { #"{"id":"q\#($0)","question":"q \#($0)?","answer":"\#($0)"}"# }
            try workplace.write(rows.joined(separator: "\n"), to: "rows.jsonl")
            #expect(try workplace.retort("run", "halves.yaml").status == 0)
            let parts = try ["halves.train", "halves.test"].map {
                Set(try records(workplace, "halves.yaml", $0).map { $0["id"]!.string! })
            }
            return (parts[0], parts[1])
        }
        let before = try sets(0..<200)
        let after = try sets(0..<230)
        #expect(before.train.count + before.test.count == 200)
        #expect((40...80).contains(before.test.count))
        #expect(after.train.isSuperset(of: before.train))
        #expect(after.test.isSuperset(of: before.test))
    }

    @Test func whatIsTooLongIsDroppedWholeAndCounted() throws {
        let workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: short
            stages:
              questions: { uses: synthetic-tasks, with: { count: 60, levels: [1, 3] } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: pipelines/prompts/cot-extraction.txt, teacher: { kind: synthetic, error-rate: 0 } }
              tokenizer:
                uses: tokenizer-training
                inputs: { cots: cots.correct }
                with: { vocabulary-size: 400 }
              tokens:
                uses: tokenization
                inputs: { cots: cots.correct, tokenizer: tokenizer }
                with: { max-length: 120 }
            """, to: "short.yaml")
        let outcome = try workplace.retort("run", "short.yaml", "--format", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let stage = try outcome.stage("tokens")
        let dropped = stage["dropped"]!["too-long"]!.integer!
        #expect(dropped > 0)
        let kept = try records(workplace, "short.yaml", "tokens")
        #expect(kept.count + dropped == stage["records_in"]!.integer!)
        for record in kept {
            let completion = record["completion_ids"]!.array!
            #expect(record["prompt_ids"]!.array!.count + completion.count <= 120)
            #expect(completion.last == 0, "the end token closes every completion")
        }
    }

    @Test func showSaysWhenWhatItShowsIsNotUpToDate() throws {
        let workplace = try Workplace()
        try workplace.write(
            "retort: 1\nname: s\nstages:\n  q: { uses: import-questions, with: { path: rows.jsonl, task: t } }\n",
            to: "s.yaml")
        let row = #"{"id":"a","question":"1?","answer":"1"}"#
        try workplace.write(row, to: "rows.jsonl")
        let never = try workplace.retort("show", "s.yaml", "q")
        #expect(never.status == 1)
        #expect(never.errors.contains("q has not been run, or what it made is gone: retort run s.yaml --target q"))
        #expect(!FileManager.default.fileExists(atPath: workplace.folder.appendingPathComponent("artifacts").path))
        try workplace.retort("run", "s.yaml")
        let current = try workplace.retort("show", "s.yaml", "q")
        #expect(current.errors.isEmpty)
        try workplace.write(row.replacingOccurrences(of: "1?", with: "2?"), to: "rows.jsonl")
        let stale = try workplace.retort("show", "s.yaml", "q")
        #expect(stale.output == current.output)
        #expect(stale.errors.contains("note: this is from the last run"))
    }
}
