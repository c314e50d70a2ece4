import ArgumentParser
import ContentStore
import Stages

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Looks after the store.",
        subcommands: [StatsCommand.self, VerifyCommand.self, CollectCommand.self])

    struct StatsCommand: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "stats", abstract: "Counts what the store holds.")

        @OptionGroup var storeOptions: StoreOptions

        func run() throws {
            let statistics = try storeOptions.open(access: .readOnly).statistics()
            for line in StoreText.lines(statistics) { StandardStream.output.line(line) }
        }
    }

    struct VerifyCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Reads every blob and result and checks it. Exit status 1 while anything is wrong.")

        @OptionGroup var storeOptions: StoreOptions

        @Flag(help: "Moves what is damaged to quarantine, so that the next run makes it again.")
        var repair = false

        func run() throws {
            let audit = try storeOptions.open(access: repair ? .readWrite : .readOnly).audit(repair: repair)
            for line in StoreText.lines(audit) { StandardStream.output.line(line) }
            if audit.leavesSomethingWrong { throw ExitStatus.failure }
        }
    }

    struct CollectCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc",
            abstract: "Says what no pipeline's last run needs, and with --delete removes it.")

        @OptionGroup var storeOptions: StoreOptions

        @Option(help: "Keep what was written less than this many seconds ago.")
        var grace = 3600

        @Flag(help: "Remove it.")
        var delete = false

        func run() throws {
            let collection = try storeOptions.open().collect(grace: grace, dryRun: !delete)
            for line in StoreText.lines(collection, isDone: delete) { StandardStream.output.line(line) }
        }
    }
}
