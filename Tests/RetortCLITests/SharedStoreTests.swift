import CanonicalJSON
import Foundation
import Testing

/// Two people, two machines, one directory between them.
@Suite struct SharedStoreTests {
    private static let run = [
        "run", "pipelines/quickstart.yaml", "--target", "merged", "--set", "questions=60", "--format", "json",
    ]

    private func executed(_ outcome: Program.Outcome) throws -> [Int] {
        try (outcome.summary["stages"]?.array ?? []).map { $0["executed"]?.integer ?? -1 }
    }

    @Test func aColleagueWithAnEmptyMachineExecutesNothing() throws {
        let place = try Workplace()
        let team = place.folder.appendingPathComponent("team")
        try FileManager.default.createDirectory(at: team, withIntermediateDirectories: true)
        let url = "file://\(team.path)"

        let first = try place.retort(Self.run + ["--store", "mine", "--tier", url, "--require-push"])
        #expect(first.status == 0, "\(first.errors)")
        #expect(try executed(first).allSatisfy { $0 > 0 })

        let second = try place.retort(Self.run + ["--store", "theirs", "--read-only-tier", url])
        #expect(second.status == 0, "\(second.errors)")
        #expect(try executed(second).allSatisfy { $0 == 0 })
        let mine = try place.retort("store", "stats", "--store", "mine").output
        let theirs = try place.retort("store", "stats", "--store", "theirs").output
        #expect(mine != theirs, "only what was read was fetched")

        let shown = try place.retort(
            "show", "pipelines/quickstart.yaml", "merged", "--set", "questions=60", "--store", "theirs", "--tier", url)
        let expected = try place.retort(
            "show", "pipelines/quickstart.yaml", "merged", "--set", "questions=60", "--store", "mine")
        #expect(shown.output == expected.output && !shown.output.isEmpty)

        let pulled = try place.retort(
            "store", "pull", "pipelines/quickstart.yaml", "--set", "questions=60", "--store", "third", "--tier", url)
        #expect(pulled.output.contains(" blobs fetched, 0 here already"), "\(pulled)")
    }

    @Test func pushHealsWhatIsDamagedInTheTierAndVerifySaysIt() throws {
        let place = try Workplace()
        let team = place.folder.appendingPathComponent("team")
        try FileManager.default.createDirectory(at: team, withIntermediateDirectories: true)
        let url = "file://\(team.path)"
        #expect(try place.retort(Self.run + ["--store", "mine", "--tier", url, "--require-push"]).status == 0)
        let blobs = try FileManager.default.subpathsOfDirectory(atPath: team.path).filter { $0.hasSuffix(".zst") }
        let victim = team.appendingPathComponent(try #require(blobs.sorted().first))
        var bytes = try Data(contentsOf: victim)
        bytes[bytes.count - 6] ^= 1
        try bytes.write(to: victim)

        let verified = try place.retort("store", "verify", "--tier", url, "--store", "mine")
        #expect(verified.status == 1)
        #expect(verified.output.contains("1 damaged, 0 incomplete, 0 untrusted"))
        let pushed = try place.retort(
            "store", "push", "pipelines/quickstart.yaml", "--set", "questions=60", "--store", "mine", "--tier", url)
        #expect(pushed.status == 0, "\(pushed.errors)")
        #expect(pushed.output.contains("1 blobs sent") && pushed.output.contains("damaged there"), "\(pushed.output)")
        #expect(try place.retort("store", "verify", "--tier", url, "--store", "mine").status == 0)
    }

    @Test func aTierThatCannotBeWrittenFailsNoRunUnlessAskedTo() throws {
        let place = try Workplace()
        let url = "file://\(place.folder.path)/not-there"
        let run = try place.retort(Self.run + ["--tier", url])
        #expect(run.status == 0)
        let warnings = run.output.split(separator: "\n").filter { $0.contains("\"warning\"") }
        #expect(warnings.contains { $0.contains("is not used any more in this run: there is no such folder") })
        #expect(warnings.contains { $0.contains("results did not reach the tier") })
        #expect(try place.retort(Self.run + ["--tier", url, "--require-push"]).status == 0, "nothing new to push")
        #expect(try place.retort(Self.run + ["--tier", url, "--require-push", "--store", "other"]).status == 1)
    }

    @Test(arguments: [
        (["--tier", "ftp://host/x"], "error: the tier ftp://host/x: its scheme \"ftp\" is not one that Retort knows"),
        (["--tier", "cache"], "error: the tier cache: it has no scheme"),
        (
            ["--tier", "https://ann:hush@host/x"],
            "error: the tier https://host/x: its URL contains a user name or a password"
        ),
        (["--tier", "file://host/x"], "error: the tier file://host/x: a file URL has an absolute path and no host"),
        (
            ["--tier", "s3://b"],
            "error: the tier s3://b: a bucket's name has 3 to 63 letters, digits, dots and hyphens"
        ),
    ])
    func malformedTiersAreUsageErrors(_ options: [String], _ message: String) throws {
        let place = try Workplace()
        let outcome = try place.retort(Self.run + options)
        #expect(outcome.status == 2)
        #expect(outcome.errors.hasPrefix(message), "\(outcome.errors)")
        #expect(!outcome.errors.contains("hush"))
    }

    @Test func mistakesInThePipelinesTiersHaveTheirPlace() throws {
        let place = try Workplace()
        let text = try place.read("pipelines/quickstart.yaml")
        let tiers = """
            tiers:
              - url: gopher://x
                access: write-only
                trusted: [me]

            """
        try place.write(text.replacingOccurrences(of: "stages:\n", with: tiers + "stages:\n"), to: "pipelines/bad.yaml")
        let access = try place.retort("plan", "pipelines/bad.yaml")
        #expect(access.status == 2)
        #expect(access.errors.contains("\"access\" of a tier is read-only or read-write, found \"write-only\""))
        try place.write(
            text.replacingOccurrences(
                of: "stages:\n", with: tiers.replacingOccurrences(of: "write-only", with: "read-only") + "stages:\n"),
            to: "pipelines/bad.yaml")
        let outcome = try place.retort("plan", "pipelines/bad.yaml")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("\"me\" is no public key"))
        #expect(outcome.errors.contains("its scheme \"gopher\" is not one that Retort knows"))
    }

    @Test func pushNeedsATierItMayWriteTo() throws {
        let place = try Workplace()
        let none = try place.retort("store", "push", "pipelines/quickstart.yaml", "--no-tiers")
        #expect(none.status == 2)
        #expect(
            none.errors == """
                error: there is no tier to push to; give --tier URL, or "tiers" in the pipeline or configuration file

                """)
        let team = place.folder.appendingPathComponent("team")
        try FileManager.default.createDirectory(at: team, withIntermediateDirectories: true)
        #expect(try place.retort(Self.run).status == 0)
        let readOnly = try place.retort(
            "store", "push", "pipelines/quickstart.yaml", "--set", "questions=60", "--read-only-tier",
            "file://\(team.path)")
        #expect(readOnly.status == 1)
        #expect(
            readOnly.errors.contains(
                "error: the tier file://\(team.path): it is configured as read-only; set its access to read-write if "
                    + "you may write to it"), "\(readOnly.errors)")
    }

    @Test func whatWasPulledSurvivesACollection() throws {
        let place = try Workplace()
        let team = place.folder.appendingPathComponent("team")
        try FileManager.default.createDirectory(at: team, withIntermediateDirectories: true)
        let url = "file://\(team.path)"
        #expect(try place.retort(Self.run + ["--store", "mine", "--tier", url, "--require-push"]).status == 0)
        let subject = ["pipelines/quickstart.yaml", "--set", "questions=60", "--store", "theirs"]
        #expect(try place.retort(["store", "pull"] + subject + ["--tier", url]).status == 0)
        let manifest = try place.retort(
            "show", "pipelines/quickstart.yaml", "merged", "--manifest", "--set", "questions=60", "--store", "mine")
        let collected = try place.retort("store", "gc", "--delete", "--grace", "0", "--store", "theirs")
        #expect(collected.status == 0, "\(collected.errors)")
        let shown = try place.retort(
            "show", "pipelines/quickstart.yaml", "merged", "--manifest", "--set", "questions=60", "--store", "theirs",
            "--no-tiers")
        #expect(shown.status == 0 && shown.output == manifest.output, "\(shown.errors)")
        #expect(try place.retort("store", "verify", "--store", "theirs").status == 0)
    }

    @Test func aPulledArtifactIsPinned() throws {
        let place = try Workplace()
        let team = place.folder.appendingPathComponent("team")
        try FileManager.default.createDirectory(at: team, withIntermediateDirectories: true)
        let url = "file://\(team.path)"
        try place.write("content", to: "folder/file.txt")
        let added = try place.retort("store", "add", "folder", "--store", "mine")
        let digest = try #require(added.output.split(separator: " ").first.map(String.init))
        #expect(try place.retort("store", "push", digest, "--store", "mine", "--tier", url).status == 0)
        let pulled = try place.retort("store", "pull", digest, "--store", "theirs", "--tier", url)
        #expect(pulled.output == "1 blobs fetched, 0 here already, pinned as artifact-\(digest.prefix(12))\n")
        #expect(try place.retort("store", "gc", "--delete", "--grace", "0", "--store", "theirs").status == 0)
        let again = try place.retort("store", "pull", digest, "--store", "theirs", "--tier", url)
        #expect(again.output.hasPrefix("0 blobs fetched, 1 here already"), "\(again.output)")
    }

    @Test func aNewKeyIsSavedForItsOwnerAndShown() throws {
        let place = try Workplace()
        let made = try place.retort("key", "new", "keys/mine.key")
        #expect(made.status == 0)
        #expect(made.output.hasPrefix("ed25519:"))
        #expect(try place.retort("key", "show", "keys/mine.key").output == made.output)
        #expect(try place.retort("key", "new", "keys/mine.key").errors.contains("there is a key already"))
    }
}
