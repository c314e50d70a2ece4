import CanonicalJSON
import Foundation
import Testing

/// The real program where the machine gives it too little.
@Suite(.serialized) struct HardshipTests {
    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.writeSmallPipeline(questions: 400, shard: 1)
        return workplace
    }

    /// Runs retort under a shell that first sets limits or becomes somebody else.
    private func shell(_ prefix: String, _ arguments: String, in workplace: Workplace) throws -> Program.Outcome {
        let program = Program.folder.appendingPathComponent("retort").path
        return try workplace.program("/bin/sh", ["-c", "\(prefix)\"\(program)\" \(arguments)"])
    }

    @Test func twoHundredAndFiftySixFileHandlesSuffice() throws {
        let workplace = try workplace()
        let outcome = try shell("ulimit -n 256; exec ", "run small.yaml --jobs 16", in: workplace)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try workplace.retort("store", "verify").status == 0)
    }

    @Test func aFileThatMayNotGrowIsSaidClearlyAndLosesNothing() throws {
        let workplace = try workplace()
        // 8 blocks of 512 bytes: the manifest of 400 shards does not fit. Small shards do.
        let outcome = try shell("trap '' XFSZ; ulimit -f 8; exec ", "run small.yaml", in: workplace)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("File too large"), "\(outcome.errors)")
        #expect(try workplace.retort("store", "verify").status == 0)
        #expect(try workplace.retort("run", "small.yaml").status == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "skipped: only the superuser can mount a small disk"))
    func aFullDiskIsSaidClearlyAndTheNextRunGoesOn() throws {
        let workplace = try workplace()
        let disk = workplace.folder.appendingPathComponent("disk").path
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let mounted = try workplace.program("/bin/mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])
        guard mounted.status == 0 else { return print("skipped: mounting is not allowed here: \(mounted.errors)") }
        defer { _ = try? workplace.program("/bin/umount", ["-l", disk]) }
        let full = try workplace.retort("run", "small.yaml", "--store", "disk/store", "--format", "json")
        #expect(full.status == 1)
        #expect(full.output.contains("No space left on device; free some space on that disk and run again"))
        #expect(try workplace.retort("store", "verify", "--store", "disk/store").status == 0)
        #expect(try workplace.program("/bin/mount", ["-o", "remount,size=64m", disk]).status == 0)
        // Nothing is too young to be collected, and what was finished stays all the same.
        let collection = try workplace.retort("store", "gc", "--grace", "0", "--delete", "--store", "disk/store")
        #expect(collection.status == 0, "\(collection.errors)")
        let again = try workplace.retort("run", "small.yaml", "--store", "disk/store", "--format", "json")
        #expect(again.status == 0, "\(again.errors)")
        let finished = full.output.split(separator: "\n").count { $0.contains(#""event":"action-finished""#) }
        let executed = try again.summary["stages"]!.array!.reduce(0) { $0 + Int($1["executed"]!.integer!) }
        #expect(finished + executed == 401, "what was finished stays finished")
        // The disk becomes read-only: what is there can be used, and nothing else is tried.
        #expect(try workplace.program("/bin/mount", ["-o", "remount,ro", disk]).status == 0)
        #expect(try workplace.retort("show", "small.yaml", "worded", "--store", "disk/store").status == 0)
        let refused = try workplace.retort("run", "small.yaml", "--store", "disk/store")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("choose a store on a file system that can be written"), "\(refused.errors)")
    }

    @Test(.enabled(if: geteuid() == 0, "skipped: only the superuser can become somebody else"))
    func aStoreOfSomebodyElseIsReadAndNotWritten() throws {
        let workplace = try workplace()
        #expect(try workplace.retort("run", "small.yaml").status == 0)
        #expect(chmod(workplace.folder.path, 0o755) == 0)
        let nobody = "exec env HOME=/ setpriv --reuid 65534 --regid 65534 --clear-groups "
        // The programs themselves may lie where nobody else may look.
        guard try shell(nobody, "--version", in: workplace).status == 0 else {
            return print("skipped: another user cannot start the programs here")
        }
        #expect(try shell(nobody, "show small.yaml worded", in: workplace).status == 0)
        let refused = try shell(nobody, "run small.yaml", in: workplace)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("Permission denied; check who owns it and its mode"), "\(refused.errors)")
        // The user's own configuration, which he may not read, is another matter than the store.
        let closed = workplace.folder.appendingPathComponent("closed").path
        try FileManager.default.createDirectory(atPath: "\(closed)/retort", withIntermediateDirectories: true)
        #expect(chmod(closed, 0o700) == 0)
        let unread = try shell(
            nobody.replacingOccurrences(of: "HOME=/ ", with: "HOME=/ XDG_CONFIG_HOME=\(closed) "), "run small.yaml",
            in: workplace)
        #expect(unread.status == 1)
        #expect(
            unread.errors.contains(
                "\(closed)/retort/config.yaml: reading it failed: Permission denied; this is your configuration of Retort: "
                    + "let this user read it"), "\(unread.errors)")
        #expect(try workplace.retort("store", "verify").status == 0)
    }
}
