import ArgumentParser
import StoreTiers

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Makes and shows the key that signs results for tiers.",
        subcommands: [NewCommand.self, ShowCommand.self])

    struct NewCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new", abstract: "Makes a signing key that only you can read, and prints its public key.")

        @Argument(help: "The key file; signing.key in the configuration folder unless given.")
        var file: String?

        func run() throws {
            let key = SigningKey()
            try key.save(to: file ?? ConfigurationFolder.process.defaultKey)
            StandardStream.output.line("\(key.publicKey)")
        }
    }

    struct ShowCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Prints the public key, for the \"trusted\" of others.")

        @Argument(help: "The key file; the one that signs unless given.")
        var file: String?

        func run() throws {
            let folder = ConfigurationFolder.process
            let configuration = try folder.configuration()
            guard let key = try file.map({ try SigningKey(file: $0) }) ?? folder.signingKey(configuration) else {
                StandardStream.error.line("error: there is no signing key; make one with retort key new")
                throw ExitStatus.failure
            }
            StandardStream.output.line("\(key.publicKey)")
        }
    }
}
