import ArgumentParser
import ContentStore

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Looks after the store.",
        subcommands: [StatsCommand.self, VerifyCommand.self])

    struct StatsCommand: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "stats", abstract: "Counts what the store holds.")

        @OptionGroup var storeOptions: StoreOptions

        func run() throws {
            StandardStream.output.line("\(try storeOptions.open().statistics())")
        }
    }

    struct VerifyCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Reads every blob and compares it with its digest; damaged ones go to quarantine with --repair.")

        @OptionGroup var storeOptions: StoreOptions

        @Flag(help: "Moves damaged blobs to quarantine; the next run makes them again.")
        var repair = false

        func run() throws {
            let report = try storeOptions.open().verify(quarantine: repair)
            StandardStream.output.line("\(report)")
            if !report.isClean { throw ExitStatus.failure }
        }
    }
}
