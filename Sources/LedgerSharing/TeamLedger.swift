import ContentStore
import Dispatch
import StoreTiers
import Synchronization
import Teachers

/// The ledgers in all tiers behind a store, as a run uses them: what goes wrong there is a warning, and the run goes on.
public struct TeamLedger: Sendable {
    /// Paid answers that have not reached a tier.
    public struct Pending: Sendable, Equatable, CustomStringConvertible {
        public let tier: String
        /// How many; nil where the ledger cannot be read.
        public let answers: Int?
        /// Why, where it failed; nil where time was up.
        public let reason: String?

        public var description: String {
            let what = answers.map { "\($0) paid answers" } ?? "paid answers"
            let why = reason.map { ": \($0)" } ?? " because time was up"
            return "\(what) did not reach the tier \(tier)\(why); retort ledger push sends them"
        }
    }

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
        for tier in tiers.tiers {
            await withCheckedContinuation { continuation in
                // It blocks a thread, and none of the cooperative pool's may be it.
                DispatchQueue.global().async {
                    _ = tiers.attempt(tier) {
                        for problem in try exchange(with: tier).pull().problems { warn(problem) }
                    }
                    continuation.resume()
                }
            }
        }
    }

    /// Sends what was paid for here, to all tiers at once.
    ///
    /// - Parameter time: How long to wait. An exchange that is not done by then is left alone: it ends with the process,
    ///   and the next one goes on where it was.
    /// - Returns: What is missing in which tier: empty when everything is there.
    public func push(within time: Duration) async -> [Pending] {
        await withTaskGroup(of: (Int, Pending?).self) { group in
            for (index, tier) in tiers.tiers.enumerated() where tier.settings.access == .readWrite {
                group.addTask { (index, await push(to: tier, within: time)) }
            }
            var pending: [(Int, Pending)] = []
            for await case (let index, let missing?) in group { pending.append((index, missing)) }
            return pending.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private enum Outcome {
        case done
        case failed(String)
        case timeIsUp
    }

    private func push(to tier: Tier, within time: Duration) async -> Pending? {
        let outcome = await withCheckedContinuation { continuation in
            let isOver = Mutex(false)
            let tell = { @Sendable (outcome: Outcome) in
                let isFirst = isOver.withLock { isOver in
                    defer { isOver = true }
                    return !isOver
                }
                if isFirst { continuation.resume(returning: outcome) }
            }
            DispatchQueue.global().async {
                let problem = tiers.attempt(tier) { _ = try exchange(with: tier).push(paidOnly: true) }
                tell(problem.map { .failed($0) } ?? .done)
            }
            let wait = DispatchTimeInterval.nanoseconds(Int(max(.zero, time) / .nanoseconds(1)))
            DispatchQueue.global().asyncAfter(deadline: .now() + wait) { tell(.timeIsUp) }
        }
        let reason: String?
        switch outcome {
        case .done: return nil
        case .failed(let problem): reason = problem
        case .timeIsUp: reason = nil
        }
        let missing = try? exchange(with: tier).unsent(paidOnly: true).count
        return missing == 0 ? nil : Pending(tier: tier.name, answers: missing, reason: reason)
    }

    private func exchange(with tier: Tier) throws -> LedgerExchange {
        LedgerExchange(try ResponseLedger(path: path), with: tier, named: tier.name, store: store)
    }
}
