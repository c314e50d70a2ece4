import CanonicalJSON
import Foundation
import Testing

/// What `plan`, `run --explain` and `diff` say about an edit, through the real program.
@Suite(.serialized) struct ExplanationTests {
    private let file = "p.yaml"

    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        try write(workplace, rows: 40)
        try workplace.write("Answer the question.\nQ: {question}\nA: Let's think step by step.\n", to: "cot.txt")
        try workplace.write(
            """
            retort: 1
            name: p
            stages:
              questions: { uses: import-questions, with: { path: rows.jsonl, task: t, shard-records: 16 } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: cot.txt, teacher: { kind: synthetic, error-rate: 0.25 } }

            """, to: file)
        return workplace
    }

    private func write(_ workplace: Workplace, rows: Int, answer: String = "True") throws {
        let lines = (0..<rows).map { index in
            let text = index == 0 ? answer : "True"
            return #"{"id":"q\#(index)","question":"not ( True ) and ( \#(text) ) is","answer":"False"}"#
        }
        try workplace.write(lines.joined(separator: "\n") + "\n", to: "rows.jsonl")
    }

    @Test func eachKindOfChangeIsNamedInWords() throws {
        let workplace = try workplace()
        let first = try workplace.retort("plan", file)
        #expect(first.output.contains("questions: 1 to run\n    never ran"), "\(first.output)")
        #expect(first.output.contains("cots: decided after stage questions"), "\(first.output)")
        #expect(try workplace.retort("run", file).status == 0)
        #expect(try workplace.retort("plan", file).output.contains("p is up to date"))

        let prompt = try workplace.read("cot.txt")
        try workplace.write(prompt.replacingOccurrences(of: "Answer the", with: "Solve this") + "\n", to: "cot.txt")
        let edited = try workplace.retort("plan", file).output
        #expect(edited.contains("shards: prompt cot.txt: 2 lines differ"), "\(edited)")
        try workplace.write(prompt, to: "cot.txt")

        let yaml = try workplace.read(file)
        try workplace.write(yaml.replacingOccurrences(of: "0.25", with: "0.5"), to: file)
        let parameter = try workplace.retort("plan", file).output
        #expect(parameter.contains("parameter teacher.error-rate: 0.25 → 0.5"), "\(parameter)")
        try workplace.write(yaml, to: file)

        try write(workplace, rows: 41)
        let run = try workplace.retort("run", file, "--explain")
        #expect(run.errors.contains("questions *: path rows.jsonl: 1 line differs"), "\(run.errors)")
        let record = try Regex(#"cots [01]+: input questions, shard [01]+: \d+ → \d+ records"#)
        #expect(run.errors.contains(record), "\(run.errors)")
    }

    @Test func theFilesOfADirectoryAreNamed() throws {
        let workplace = try Workplace()
        for name in ["navigate", "snarks", "hyperbaton"] {
            try workplace.write(#"{"examples":[{"input":"a?","target":"No"}]}"#, to: "bbh/\(name).json")
        }
        try workplace.write(
            "retort: 1\nname: p\nstages:\n  all: { uses: import-bbh, with: { path: bbh } }\n", to: file)
        #expect(try workplace.retort("run", file).status == 0)
        try workplace.write(#"{"examples":[{"input":"b?","target":"No"}]}"#, to: "bbh/snarks.json")
        try workplace.write(#"{"examples":[{"input":"c?","target":"No"}]}"#, to: "bbh/sports.json")
        for name in ["navigate", "hyperbaton"] {
            try FileManager.default.removeItem(at: workplace.folder.appendingPathComponent("bbh/\(name).json"))
        }
        let text = "path bbh: snarks.json changed; sports.json added; 2 files removed: hyperbaton.json, navigate.json"
        let plan = try workplace.retort("plan", file).output
        #expect(plan.contains(text), "\(plan)")
        let run = try workplace.retort("run", file, "--explain", "--format", "json")
        #expect(run.status == 0)
        let started = try #require(run.output.split(separator: "\n").first { $0.contains("file-changed") })
        let reason = try JSON.parse(String(started))["reasons"]!.array![0]
        #expect(reason["files"]?["removed"] == ["count": 2, "paths": ["hyperbaton.json", "navigate.json"]])
        #expect(reason["text"] == .string(text))
    }

    @Test func whatChangedInAnImportedCheckpointIsNamedFileByFile() throws {
        let workplace = try Workplace()
        let shape = #"{"model_type":"llama","hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,"#
        try workplace.write(shape + #""num_attention_heads":4,"num_key_value_heads":2}"#, to: "model/config.json")
        try workplace.write(#"{"max_new_tokens":9}"#, to: "model/generation_config.json")
        try workplace.write("A model.\n", to: "model/notes/README.md")
        try workplace.write(
            "retort: 1\nname: p\nstages:\n  start: { uses: import-checkpoint, with: { path: model } }\n", to: file)
        #expect(try workplace.retort("run", file).status == 0)
        func reason() throws -> String? {
            try workplace.retort("plan", file).output.split(separator: "\n").map { $0.drop { $0 == " " } }
                .first { $0.hasPrefix("path model: ") }.map(String.init)
        }
        // Written again as it was, it is the same.
        try workplace.write(workplace.read("model/config.json"), to: "model/config.json")
        #expect(try reason() == nil)
        try workplace.write("Another model.\n", to: "model/notes/README.md")
        #expect(try reason() == "path model: notes/README.md changed")
        try workplace.write("{}", to: "model/tokenizer_config.json")
        #expect(try reason() == "path model: notes/README.md changed; tokenizer_config.json added")
        let manager = FileManager.default
        try manager.removeItem(at: workplace.folder.appendingPathComponent("model/generation_config.json"))
        #expect(
            try reason()
                == "path model: notes/README.md changed; tokenizer_config.json added; generation_config.json removed")
        // A file that moves is gone from one place and new in another.
        try workplace.write("A model.\n", to: "model/notes/README.md")
        try manager.removeItem(at: workplace.folder.appendingPathComponent("model/tokenizer_config.json"))
        try workplace.write(#"{"max_new_tokens":9}"#, to: "model/notes/generation_config.json")
        #expect(
            try reason()
                == "path model: notes/generation_config.json added; generation_config.json removed")
    }

    @Test func reasonsAreFactsInJSON() throws {
        let workplace = try workplace()
        #expect(try workplace.retort("run", file).status == 0)
        try write(workplace, rows: 39)
        let plan = try JSON.parse(workplace.retort("plan", file, "--format", "json").output)
        let reason = plan["stages"]!.array![0]["actions"]!.array![0]["reasons"]!.array![0]
        #expect(reason["reason"] == "file-changed")
        #expect(reason["parameter"] == "path" && reason["file"] == "rows.jsonl" && reason["lines"] == 1)
        #expect(reason["text"] == "path rows.jsonl: 1 line differs")
    }

    @Test func diffShowsTheLastTwoRunsRecordByRecord() throws {
        let workplace = try workplace()
        #expect(try workplace.retort("run", file).status == 0)
        let none = try workplace.retort("diff", file, "questions")
        #expect(none.status == 1)
        #expect(none.errors.contains("there is no earlier run of questions"))
        try write(workplace, rows: 41, answer: "False")
        #expect(try workplace.retort("run", file).status == 0)
        let text = try workplace.retort("diff", file, "questions").output
        #expect(text.contains("+ q40\n"), "\(text)")
        #expect(text.contains("~ q0: question: "), "\(text)")
        #expect(text.hasSuffix("1 added, 0 removed, 1 changed, 39 the same\n"), "\(text)")
        let json = try workplace.retort("diff", file, "questions", "--format", "json")
        #expect(try json.summary["changed"] == 1)
        let summary = try json.summary
        let byDigest = try workplace.retort("diff", summary["old"]!.string!, summary["new"]!.string!)
        #expect(byDigest.output == text)

        #expect(try workplace.retort("run", file, "--store", "other").status == 0)
        let same = try workplace.retort("diff", file, "questions", "--with-store", "other")
        #expect(same.output == "the artifacts are the same: 41 records\n")
    }

    @Test func aFailureNamesTheRecordsOfItsShard() throws {
        let workplace = try workplace()
        try workplace.write("No placeholder for the question here.\n", to: "cot.txt")
        let outcome = try workplace.retort("run", file, "--jobs", "1", "--format", "json")
        #expect(outcome.status == 1)
        let line = try #require(outcome.output.split(separator: "\n").first { $0.contains("\"event\":\"error\"") })
        let error = try JSON.parse(String(line))
        #expect(error["records"]!.array!.count == 3)
        #expect(error["record_count"]!.integer! > 3)
    }
}
