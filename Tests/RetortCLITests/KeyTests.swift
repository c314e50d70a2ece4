import CanonicalJSON
import Foundation
import TeacherServer
import Teachers
import Testing

/// What makes an action run again and what does not, through the real program.
@Suite(.serialized) struct KeyTests {
    private let file = "p.yaml"
    private static let pipeline = """
        retort: 1
        name: p
        stages:
          one: { uses: import-questions, with: { path: one.jsonl, task: t, shard-records: 16 } }
          two: { uses: import-questions, with: { path: two.jsonl, task: t, shard-records: 16 } }
          cots:
            uses: teacher-sampling
            inputs: { questions: one }
            with: { prompt: cot.txt, teacher: { kind: synthetic, error-rate: 0.25 }, stop: [ab, c] }
          most: { uses: majority-baseline, inputs: { train: two, first: one, second: two } }

        """

    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        for (name, count) in [("one", 20), ("two", 10)] {
            let lines = (0..<count).map { index in
                let answer = name == "one" || index < 3 ? "True" : "False"
                return #"{"id":"\#(name)\#(index)","question":"not ( \#(answer) ) is","answer":"\#(answer)"}"#
            }
            try workplace.write(lines.joined(separator: "\n") + "\n", to: "\(name).jsonl")
        }
        try workplace.write("Q: {question}\nA: Let's think step by step.\n", to: "cot.txt")
        try workplace.write(Self.pipeline, to: file)
        return workplace
    }

    /// Actions executed by a run, by stage; stages without any are left out.
    private func run(_ workplace: Workplace, _ file: String = "p.yaml", _ options: String...) throws -> [String: Int] {
        let outcome = try workplace.retort(["run", file, "--format", "json"] + options)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let rows = try outcome.summary["stages"]!.array!.map { ($0["stage"]!.string!, $0["executed"]!.integer!) }
        return Dictionary(uniqueKeysWithValues: rows).filter { $0.value > 0 }
    }

    private func edit(_ workplace: Workplace, _ old: String, _ new: String) throws {
        let text = try workplace.read(file)
        try #require(text.contains(old))
        try workplace.write(text.replacingOccurrences(of: old, with: new), to: file)
    }

    @Test func namesPathsOrderAndJobsAreNoPartOfAKey() throws {
        let workplace = try workplace()
        #expect(try run(workplace)["most"] == 1)
        // Jobs and the other limits.
        #expect(try run(workplace, file, "--jobs", "7", "--network-calls", "3", "--accelerators", "2").isEmpty)
        // The pipeline and its stages under other names.
        try edit(workplace, "name: p", "name: other")
        #expect(try run(workplace).isEmpty)
        try edit(workplace, "two:", "zwei:")
        try edit(workplace, "train: two, first: one, second: two", "train: zwei, first: one, second: zwei")
        #expect(try run(workplace).isEmpty)
        // Keys in another order, and the same values written otherwise.
        try edit(
            workplace, "path: one.jsonl, task: t, shard-records: 16",
            "shard-records: 0x10, task: \"t\", path: one.jsonl")
        try edit(workplace, "kind: synthetic, error-rate: 0.25", "error-rate: 2.5e-1, kind: 'synthetic'")
        try edit(workplace, "train: zwei, first: one, second: zwei", "second: zwei, first: one, train: zwei")
        #expect(try run(workplace).isEmpty)
        // A file under another name, and touched.
        try workplace.write(workplace.read("one.jsonl"), to: "moved/uno.jsonl")
        try edit(workplace, "one.jsonl", "./moved/../moved/uno.jsonl")
        try workplace.write(workplace.read("cot.txt"), to: "cot.txt")
        #expect(try run(workplace).isEmpty)
        // The pipeline file elsewhere.
        for path in [file, "moved/uno.jsonl", "two.jsonl", "cot.txt"] {
            try workplace.write(workplace.read(path), to: "deep/\(path)")
        }
        #expect(try run(workplace, "deep/p.yaml").isEmpty)
    }

    @Test func everythingMovedToAnotherFolderIsStillKnown() throws {
        let (workplace, other) = (try workplace(), try Workplace())
        #expect(try run(workplace)["most"] == 1)
        for path in [file, "one.jsonl", "two.jsonl", "cot.txt", "artifacts"] {
            try FileManager.default.moveItem(
                at: workplace.folder.appendingPathComponent(path), to: other.folder.appendingPathComponent(path))
        }
        #expect(try run(other).isEmpty)
    }

    @Test func swappedInputsAreOtherInputs() throws {
        let workplace = try workplace()
        _ = try run(workplace)
        let before = try workplace.retort("show", file, "most").output
        // The contents of two files change places: each is known, in the place of the other it is not.
        let (one, two) = (try workplace.read("one.jsonl"), try workplace.read("two.jsonl"))
        try workplace.write(two, to: "one.jsonl")
        try workplace.write(one, to: "two.jsonl")
        let executed = try run(workplace)
        #expect(executed["one"] == nil && executed["two"] == nil)
        #expect(executed["most"] == 1 && executed["cots"]! > 0)
        let after = try workplace.retort("show", file, "most").output
        #expect(before != after && !after.isEmpty)
        // The same by other wires, from the files as they were.
        try workplace.write(one, to: "one.jsonl")
        try workplace.write(two, to: "two.jsonl")
        try edit(workplace, "train: two, first: one, second: two", "train: one, first: two, second: one")
        #expect(try run(workplace).isEmpty)
        #expect(try workplace.retort("show", file, "most").output == after)
        // One name for the other is another result: names are in the rows.
        try edit(workplace, "first: two, second: one", "second: two, first: one")
        #expect(try run(workplace) == ["most": 1])
    }

    @Test func aByteMovedToItsNeighbourIsSeen() throws {
        let workplace = try workplace()
        let first = try run(workplace)
        try edit(workplace, "stop: [ab, c]", "stop: [a, bc]")
        #expect(try run(workplace) == ["cots": first["cots"]!])
        try edit(workplace, "stop: [a, bc]", "stop: [abc]")
        #expect(try run(workplace) == ["cots": first["cots"]!])
        // A byte more in a file.
        let rows = try workplace.read("one.jsonl")
        let moved = rows.replacingOccurrences(of: "( True ) is\"", with: "( True ) is \"")
        try #require(moved != rows)
        try workplace.write(moved, to: "one.jsonl")
        #expect(try run(workplace)["one"] == 1)
        // Back to what it was: known again.
        try workplace.write(rows, to: "one.jsonl")
        try edit(workplace, "stop: [abc]", "stop: [ab, c]")
        #expect(try run(workplace).isEmpty)
    }

    @Test func keysForAnAPIAreNoPartOfAKeyNorOfTheStore() async throws {
        let server = try await TeacherServer(ServerSettings(key: "secret-7f3a"))
        let workplace = try workplace()
        try workplace.write("secret-7f3a\n", to: "api-key")
        let asked = "{ kind: openai, url: \"\(server.url)\", model: synthetic, key-file: api-key }"
        try edit(workplace, "{ kind: synthetic, error-rate: 0.25 }, stop: [ab, c]", "\(asked), max-tokens: 300")
        #expect(try run(workplace)["cots"]! > 0)
        for variant in ["key-env: RETORT_NO_SUCH_VARIABLE", "key-file: elsewhere", "timeout: 7, concurrency: 3"] {
            try edit(workplace, "key-file: api-key", variant)
            #expect(try run(workplace).isEmpty, "\(variant)")
            try edit(workplace, variant, "key-file: api-key")
        }
        // Another key in the same file; the server would turn it away.
        try workplace.write("another\n", to: "api-key")
        #expect(try run(workplace).isEmpty)
        // Blobs are compressed, so the store is asked through the program.
        for reference in ["cots.correct", "cots.wrong"] {
            #expect(try !workplace.retort("show", file, reference).output.contains("secret-7f3a"))
        }
        let store = workplace.folder.appendingPathComponent("artifacts")
        let files = try FileManager.default.subpathsOfDirectory(atPath: store.path)
        for path in files {
            let bytes = (try? Data(contentsOf: store.appendingPathComponent(path))) ?? Data()
            #expect(bytes.range(of: Data("secret-7f3a".utf8)) == nil, "\(path)")
        }
    }
}
