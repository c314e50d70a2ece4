import ArgumentParser
import ContentStore
import Stages

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Looks after the store.",
        subcommands: [
            StatsCommand.self, VerifyCommand.self, CollectCommand.self, PinCommand.self, UnpinCommand.self,
            AddCommand.self, PushCommand.self, PullCommand.self,
        ])

    struct StatsCommand: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "stats", abstract: "Counts what the store holds.")

        @OptionGroup var storeOptions: StoreOptions

        func run() throws {
            let store = try storeOptions.openExisting(access: .readOnly)
            for line in StoreText.lines(try store.statistics()) { StandardStream.output.line(line) }
            for root in try store.roots() { StandardStream.output.line(StoreText.line(root, in: store)) }
        }
    }

    struct VerifyCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract:
                "Reads every blob and result, of the store or of the tiers given, and checks it. Exit status 1 while anything is wrong."
        )

        @OptionGroup var storeOptions: StoreOptions

        @OptionGroup var tierOptions: TierOptions

        @Flag(help: "Moves what is damaged to quarantine, so that the next run makes it again.")
        var repair = false

        func run() throws {
            if tierOptions.namesTiers { return try TierVerification.run(storeOptions, tierOptions) }
            let audit = try storeOptions.openExisting(access: repair ? .readWrite : .readOnly).audit(repair: repair)
            for line in StoreText.lines(audit) { StandardStream.output.line(line) }
            if audit.leavesSomethingWrong { throw ExitStatus.failure }
        }
    }

    struct CollectCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc",
            abstract: "Says what no pipeline's last run needs, and with --delete removes it.")

        @OptionGroup var storeOptions: StoreOptions

        @Option(help: "Keep what was written less than this many seconds ago; a day unless given.")
        var grace = 86_400

        @Flag(name: [.customLong("delete"), .customLong("yes")], help: "Remove it.")
        var delete = false

        @Flag(help: "Name every result and blob that is, or would be, removed.")
        var list = false

        func validate() throws {
            if grace < 0 { throw ValidationError("--grace takes a number of seconds, not less than 0") }
        }

        func run() throws {
            let store = try storeOptions.openExisting()
            let collection = try store.collect(grace: grace, dryRun: !delete)
            if list {
                for key in collection.actions { StandardStream.output.line("result \(key)") }
                for blob in collection.blobs { StandardStream.output.line("blob \(blob)") }
            }
            for line in StoreText.lines(collection, isDone: delete, in: store) { StandardStream.output.line(line) }
        }
    }
}
