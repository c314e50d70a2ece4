import CanonicalJSON
import Foundation
import Testing

/// `retort store` as a user meets it.
@Suite struct StoreCommandTests {
    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.writeSmallPipeline(questions: 12, shard: 4)
        #expect(try workplace.retort("run", "small.yaml").status == 0)
        return workplace
    }

    private func blobs(_ workplace: Workplace) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: workplace.store("blobs")).filter { $0.hasSuffix(".zst") }
    }

    @Test(arguments: ["stats", "verify", "gc"]) func aStoreThatIsNotThereIsNamed(command: String) throws {
        let workplace = try Workplace()
        let outcome = try workplace.retort("store", command, "--store", "artifcats")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors
                == "error: there is no store at artifcats; --store DIR names another, and the first run makes one\n")
        #expect(!FileManager.default.fileExists(atPath: workplace.folder.appendingPathComponent("artifcats").path))
    }

    @Test func whatIsPinnedOutlivesItsPipelineUntilItIsUnpinned() throws {
        let workplace = try workplace()
        let questions = try workplace.retort("show", "small.yaml", "worded").output
        #expect(
            try workplace.retort("store", "pin", "small.yaml", "worded", "--name", "mine").output
                == "pinned as mine; retort store unpin mine lets it go\n")
        // The pipeline goes on: its last run is another.
        try workplace.writeSmallPipeline(questions: 12, shard: 4, after: "Think again.")
        #expect(try workplace.retort("run", "small.yaml").status == 0)
        let before = try blobs(workplace).count
        let dry = try workplace.retort("store", "gc", "--grace", "0", "--list")
        #expect(dry.status == 0)
        #expect(dry.output.contains("kept for mine: "), "\(dry.output)")
        #expect(dry.output.contains("(the last run of small): "), "\(dry.output)")
        #expect(dry.output.contains("--delete removes it"), "\(dry.output)")
        #expect(try blobs(workplace).count == before, "a dry run by default")
        #expect(try workplace.retort("store", "gc", "--grace", "0", "--yes").status == 0)
        #expect(try workplace.retort("store", "verify").status == 0)
        let kept = try blobs(workplace).count
        #expect(kept < before)

        #expect(try workplace.retort("store", "unpin", "mine").output == "unpinned mine\n")
        #expect(try workplace.retort("store", "gc", "--grace", "0", "--delete").status == 0)
        #expect(try blobs(workplace).count < kept)
        #expect(try workplace.retort("show", "small.yaml", "worded").output != questions)
        let gone = try workplace.retort("store", "unpin", "mine")
        #expect(gone.status == 1)
        #expect(gone.errors.contains("error: nothing is pinned as mine; there are last-run-"), "\(gone.errors)")
    }

    @Test func aWholeRunAnArtifactAndAFolderCanBePinned() throws {
        let workplace = try workplace()
        #expect(try workplace.retort("store", "pin", "small.yaml").output.hasPrefix("pinned as run-small;"))
        try workplace.write("weights", to: "model/model.bin")
        let added = try workplace.retort("store", "add", "model", "--type", "checkpoint/1")
        #expect(added.status == 0, "\(added.errors)")
        let artifact = String(added.output.prefix(64))
        #expect(added.output.hasSuffix("1 files, 7 bytes, pinned as artifact-\(artifact.prefix(12))\n"))
        #expect(try workplace.retort("store", "pin", artifact, "--name", "again").status == 0)
        let roots = try workplace.retort("store", "stats").output.split(separator: "\n").filter {
            $0.hasPrefix("root ")
        }
        #expect(roots.count == 4, "the last run, the pinned one, the artifact twice: \(roots)")
        #expect(try workplace.retort("store", "gc", "--grace", "0", "--delete").output.contains("removed 0 files"))
    }

    @Test(arguments: [
        (["store", "pin", "small.yaml", "worded.nothing"], Int32(2), "has the outputs questions"),
        (["store", "pin", "small.yaml", "wordd"], 2, "worded"),
        (["store", "pin", String(repeating: "0", count: 64)], 1, "it is not in the store"),
        (["store", "pin", "small.yaml", "--name", "../x"], 1, "it has a name that is not allowed"),
        (["store", "add", "nowhere"], 1, "No such file or directory"),
        (["store", "add", ".", "--type", "x"], 2, "--type takes name/version"),
        (["store", "gc", "--grace=-5"], 2, "--grace takes a number of seconds"),
    ])
    func aMistakeIsSaidAndPinsNothing(arguments: [String], status: Int32, message: String) throws {
        let workplace = try workplace()
        let outcome = try workplace.retort(arguments)
        #expect(outcome.status == status)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workplace.store("roots")).count == 1)
    }

    @Test func verificationFailsUntilTheDamageIsPutAsideAndTheNextRunMendsIt() throws {
        let workplace = try workplace()
        let blob = try #require(try blobs(workplace).sorted().first)
        try workplace.write("rubbish", to: "artifacts/blobs/\(blob)")
        #expect(try workplace.retort("store", "verify").status == 1)
        #expect(try workplace.retort("store", "verify").status == 1, "looking mends nothing")
        let repair = try workplace.retort("store", "verify", "--repair")
        #expect(repair.status == 0)
        #expect(repair.output.contains("moved to quarantine, run again to make it anew"), "\(repair.output)")
        #expect(try workplace.retort("store", "verify").status == 0)
        #expect(try workplace.retort("run", "small.yaml").status == 0)
        #expect(try blobs(workplace).contains(blob))
        #expect(try workplace.retort("store", "verify").status == 0)
    }
}
