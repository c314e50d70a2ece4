import CanonicalJSON
import Foundation
import Testing

/// `retort export`, as somebody uses it who wants the student and the data in files.
@Suite struct ExportTests {
    private func scene() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: exported
            stages:
              questions:
                uses: synthetic-tasks
                with: { count: 40, seed: 3, families: [boolean_expressions], levels: [1], shard-records: 8 }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: pipelines/prompts/cot-extraction.txt, teacher: { kind: synthetic, error-rate: 0 } }
              tokenizer: { uses: tokenizer-training, inputs: { cots: cots.correct }, with: { vocabulary-size: 300 } }
              tokens: { uses: tokenization, inputs: { cots: cots.correct, tokenizer: tokenizer } }
              student:
                uses: sft
                inputs: { tokens: tokens, tokenizer: tokenizer }
                with:
                  max-steps: 1
                  model: { hidden-size: 16, layers: 1, heads: 2, key-value-heads: 1, intermediate-size: 16 }
            """, to: "exported.yaml")
        let run = try workplace.retort("run", "exported.yaml")
        #expect(run.status == 0, "\(run.errors)")
        return workplace
    }

    private func names(_ workplace: Workplace, _ folder: String = ".") throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: workplace.folder.appendingPathComponent(folder).path
        ).filter { !$0.hasPrefix(".") }.sorted()
    }

    @Test func recordsBecomeJSONLinesAndCheckpointsFoldersThatOthersRead() throws {
        let workplace = try scene()
        let shown = try workplace.retort("show", "exported.yaml", "cots.correct").output
        #expect(shown.split(separator: "\n").count == 40)
        let plain = try workplace.retort("export", "exported.yaml", "cots.correct", "out/cots.jsonl")
        #expect(plain.status == 0, "\(plain.errors)")
        #expect(plain.errors == "exported 40 records to out/cots.jsonl\n")
        #expect(try workplace.read("out/cots.jsonl") == shown)
        #expect(try workplace.retort("export", "exported.yaml", "cots.correct", "cots.jsonl.zst").status == 0)
        #expect(try workplace.program("/usr/bin/env", ["zstd", "-dcq", "cots.jsonl.zst"]).output == shown)

        let manifest = try JSON.parse(
            workplace.retort("show", "exported.yaml", "tokens", "--manifest").output)
        let shards = try #require(manifest["shards"]?.array?.count)
        #expect(shards > 1)
        #expect(try workplace.retort("export", "exported.yaml", "tokens", "tokens/").status == 0)
        let count = "0000\(shards).safetensors"
        #expect(try names(workplace, "tokens") == (1...shards).map { "data-0000\($0)-of-\(count)" })

        #expect(try workplace.retort("export", "exported.yaml", "student.checkpoint", "student").status == 0)
        #expect(try names(workplace, "student").contains("model.safetensors"))
        let answer = try workplace.retort(
            ["generate", "--checkpoint", "student", "--max-new-tokens", "2"], input: #"{"prompt":"True"}"# + "\n")
        #expect(answer.status == 0, "\(answer.errors)")
        // An import takes it back as the artifact it was.
        try workplace.write(
            """
            retort: 1
            name: back
            stages: { start: { uses: import-checkpoint, with: { path: student } } }
            """, to: "back.yaml")
        #expect(try workplace.retort("run", "back.yaml").status == 0)
        func digests(_ file: String, _ output: String) throws -> Set<String> {
            Set(try workplace.retort("show", file, output).output.split(separator: "\n").map { String($0.prefix(12)) })
        }
        #expect(try digests("back.yaml", "start.checkpoint") == digests("exported.yaml", "student.checkpoint"))
    }

    @Test func whatIsThereStaysUnlessForced() throws {
        let workplace = try scene()
        try workplace.write("mine\n", to: "questions.jsonl")
        let refused = try workplace.retort("export", "exported.yaml", "questions", "questions.jsonl")
        #expect(refused.status == 2)
        #expect(refused.errors == "error: questions.jsonl is there already; --force replaces it\n")
        #expect(try workplace.read("questions.jsonl") == "mine\n")
        #expect(
            try workplace.retort("export", "exported.yaml", "questions", "questions.jsonl", "--force").status == 0)
        #expect(try workplace.read("questions.jsonl").split(separator: "\n").count == 40)

        try workplace.write("mine\n", to: "tokenizer/notes/mine.txt")
        // What an export left that was killed; no process has so high a number.
        try workplace.write("half\n", to: ".tokenizer.retort-export-999999999/tokenizer.json")
        #expect(try workplace.retort("export", "exported.yaml", "tokenizer", "tokenizer").status == 2)
        #expect(try names(workplace, "tokenizer") == ["notes"])
        #expect(try workplace.retort("export", "exported.yaml", "tokenizer", "tokenizer", "--force").status == 0)
        #expect(try names(workplace, "tokenizer").contains("tokenizer.json"))
        #expect(try !names(workplace, "tokenizer").contains("notes"))
        let all = try FileManager.default.contentsOfDirectory(atPath: workplace.folder.path)
        #expect(all.allSatisfy { !$0.contains(".retort-export-") })
    }

    @Test func damagedContentIsNotExported() throws {
        let workplace = try scene()
        let blobs = try #require(FileManager.default.enumerator(atPath: workplace.store("blobs")))
        for case let name as String in blobs {
            let file = URL(fileURLWithPath: workplace.store("blobs/\(name)"))
            guard (try? file.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true else { continue }
            let content = try Data(contentsOf: file)
            guard content.count > 4000 else { continue }
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
            try content.dropLast(100).write(to: file)
        }
        let export = try workplace.retort("export", "exported.yaml", "student.checkpoint", "student")
        #expect(export.status == 1)
        #expect(export.errors.contains("error: "))
        #expect(try !names(workplace).contains { $0.hasPrefix("student") })
    }
}
