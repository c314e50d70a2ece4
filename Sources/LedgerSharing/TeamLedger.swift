import ContentStore
import Dispatch
import StoreTiers
import Teachers

/// The ledgers in all tiers behind a store, as a run uses them: what goes wrong there is a warning, and the run goes on.
public struct TeamLedger: Sendable {
    private let tiers: TierSet
    private let store: LocalStore
    private let path: String
    private let warn: @Sendable (String) -> Void

    /// - Parameters:
    ///   - path: the ledger's file.
    ///   - warn: is told what a user should know. Called from any thread.
    public init(
        behind tiers: TierSet, of store: LocalStore, ledger path: String, warn: @escaping @Sendable (String) -> Void
    ) {
        self.tiers = tiers
        self.store = store
        self.path = path
        self.warn = warn
    }

    /// Takes over what others have paid for.
    public func pull() async {
        await forEachTier { tier, exchange in
            for problem in try exchange.pull().problems { warn(problem) }
        }
    }

    /// Sends what was paid for here.
    public func push() async {
        await forEachTier { tier, exchange in
            guard tier.settings.access == .readWrite else { return }
            _ = try exchange.push(paidOnly: true)
        }
    }

    private func forEachTier(_ body: @escaping @Sendable (Tier, LedgerExchange) throws -> Void) async {
        await withCheckedContinuation { continuation in
            // It blocks a thread, and none of the cooperative pool's may be it.
            DispatchQueue.global().async {
                for tier in tiers.tiers {
                    tiers.attempt(tier) {
                        let ledger = try ResponseLedger(path: path)
                        try body(tier, LedgerExchange(ledger, with: tier, named: tier.name, store: store))
                    }
                }
                continuation.resume()
            }
        }
    }
}
