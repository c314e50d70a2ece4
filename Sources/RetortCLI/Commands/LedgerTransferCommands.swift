import ArgumentParser
import ContentStore
import LedgerSharing
import PipelineFile
import Stages
import StoreTiers
import Teachers

/// What the exchange of ledgers through tiers is about.
struct LedgerTransferSubject: ParsableArguments {
    @Argument(
        help: "A pipeline file whose tiers are used beside those of the configuration and the command line.",
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    /// Calls `body` for each tier. A tier that cannot be used is an error, and the others are served all the same.
    func forEachTier(
        to verb: String, creating: Bool, _ body: (Tier, LedgerExchange) throws -> Void
    ) throws {
        let pipeline = try file.map { file in
            var options = PipelineOptions()
            options.file = file
            options.overrides = []
            return try options.loadFile()
        }
        let (store, tiers) = try tierOptions.open(storeOptions, for: pipeline)
        let set = try TierSet.required(tiers, to: verb)
        let ledger = try storeOptions.ledger(creating: creating)
        var isComplete = true
        for tier in set.tiers {
            do {
                try body(tier, LedgerExchange(ledger, with: tier, named: tier.name, store: store))
            } catch let error as TierError {
                StandardStream.error.line("error: \(error)")
                isComplete = false
            }
        }
        if !isComplete { throw ExitStatus.failure }
    }

    static func show(_ problems: [String]) {
        for problem in problems { StandardStream.error.line("warning: \(problem)") }
    }
}

extension LedgerCommand {
    struct PushCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "push",
            abstract: "Sends the answers that the tiers lack, so that nobody who shares them pays for the same call.")

        @OptionGroup var subject: LedgerTransferSubject

        @Flag(help: "Reads all that the tiers hold, and sends again what is damaged there.")
        var verify = false

        func run() throws {
            try subject.forEachTier(to: "push to", creating: false) { tier, exchange in
                let report = try exchange.push(verifying: verify)
                LedgerTransferSubject.show(report.pulled.problems)
                let pulled = report.pulled.new == 0 ? "" : ", \(report.pulled.new) new ones taken over from it"
                StandardStream.output.line(
                    "\(tier.name): \(report.answers) answers sent in \(report.segments) segments\(pulled)")
            }
        }
    }

    struct PullCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pull",
            abstract: "Takes over the answers in the tiers that are new. What is known here already stays as it is.")

        @OptionGroup var subject: LedgerTransferSubject

        func run() throws {
            var hasProblems = false
            try subject.forEachTier(to: "pull from", creating: true) { tier, exchange in
                let report = try exchange.pull()
                LedgerTransferSubject.show(report.problems)
                hasProblems = hasProblems || !report.problems.isEmpty
                StandardStream.output.line("\(tier.name): \(report.new) new answers from \(report.segments) segments")
            }
            if hasProblems { throw ExitStatus.failure }
        }
    }
}
