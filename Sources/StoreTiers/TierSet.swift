import ContentStore
import Dispatch
import Glibc
import HTTPTransport
import Synchronization

/// The tiers behind a local store, in the order in which they are asked.
///
/// A tier that fails is not used for the rest of the process: it is said once, and work goes on without.
public final class TierSet: Upstream, Sendable {
    private struct State {
        var breakers: [String: CircuitBreaker]
        var warned: Set<String> = []
        /// Keys that no tier has a usable result for: not asked again.
        var missed: Set<Digest> = []
        /// Blobs that could not be fetched although a tier should hold them: lost, for this process.
        var lost: Set<Digest> = []
        /// Which tier gave what is being verified.
        var source: [Digest: Int] = [:]
        var fetched = 0
        var fetchedBytes = 0
    }

    public let tiers: [Tier]
    private let store: LocalStore
    private let warn: @Sendable (String) -> Void
    private let state: Mutex<State>
    private let uploads: [Uploads]

    /// - Parameters:
    ///   - store: what the tiers stand behind; the caller attaches this set to it.
    ///   - warn: is told, once for each, what a user should know. Called from any thread.
    public init(
        _ tiers: [Tier], behind store: LocalStore, failuresToTurnOff: Int = 3,
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.tiers = tiers
        self.store = store
        self.warn = warn
        let breakers = tiers.map { ($0.name, CircuitBreaker(threshold: failuresToTurnOff)) }
        state = Mutex(State(breakers: Dictionary(breakers, uniquingKeysWith: { first, _ in first })))
        uploads = tiers.filter(\.isWritable).map { Uploads(to: $0, from: store) }
        for upload in uploads { upload.set = Weak(self) }
    }

    /// Blobs fetched so far.
    public var fetched: (blobs: Int, bytes: Int) { state.withLock { ($0.fetched, $0.fetchedBytes) } }

    func isUsable(_ tier: Tier) -> Bool { state.withLock { $0.breakers[tier.name]?.isOpen == false } }

    /// Runs a request to a tier. Returns nil, and counts it against the tier, where it fails.
    func attempt<Value>(_ tier: Tier, _ body: () async throws -> Value) async -> Value? {
        guard isUsable(tier) else { return nil }
        do {
            let value = try await body()
            state.withLock { $0.breakers[tier.name]?.succeeded() }
            return value
        } catch {
            note(error, of: tier)
            return nil
        }
    }

    /// The same for work that blocks. Never called from a thread of the cooperative pool.
    ///
    /// - Returns: Why it was not done; nil when it was.
    public func attempt(_ tier: Tier, _ body: () throws -> Void) -> String? {
        guard isUsable(tier) else { return "it was turned off" }
        do {
            try body()
            state.withLock { $0.breakers[tier.name]?.succeeded() }
            return nil
        } catch let error as TierError {
            note(error, of: tier)
            return error.problem
        } catch {
            warnOnce("\(error)")
            return "\(error)"
        }
    }

    func note(_ error: any Error, of tier: Tier) {
        if error is CancellationError { return }
        let failure = error as? TierError
        if failure?.code == .damaged { return warnOnce("\(error)") }
        let change = state.withLock { state in
            failure?.code == .unreachable && tier.isPrepared
                ? state.breakers[tier.name]?.failed() : state.breakers[tier.name]?.open()
        }
        let reason = failure.map { "\($0.problem); \($0.remedy)" } ?? "\(error)"
        guard change == .opened else {
            let isFirst = isUsable(tier) && state.withLock { $0.warned.insert("\(tier.name) fails").inserted }
            if isFirst { warn("the tier \(tier.name) failed, and is asked again for what comes next: \(reason)") }
            return
        }
        warnOnce("the tier \(tier.name) is not used any more in this run: \(reason)")
    }

    func warnOnce(_ message: String) {
        if state.withLock({ $0.warned.insert(message).inserted }) { warn(message) }
    }
}

// MARK: - Upstream

extension TierSet {
    public func available(among digests: [Digest]) -> Set<Digest> {
        var found: Set<Digest> = []
        let digests = state.withLock { state in digests.filter { !state.lost.contains($0) } }
        for tier in tiers {
            let rest = digests.filter { !found.contains($0) }
            guard !rest.isEmpty else { break }
            let answer = waiting { await self.attempt(tier) { try await tier.held(among: rest) } }
            guard let answer else { continue }
            found.formUnion(answer.held)
            remember(answer.new, of: tier)
        }
        return found
    }

    public func results(for keys: [Digest]) -> [Digest: ActionResult] {
        var results: [Digest: ActionResult] = [:]
        var unknown = state.withLock { state in keys.filter { !state.missed.contains($0) } }
        for tier in tiers where !unknown.isEmpty {
            let keys = unknown
            let answers = waiting {
                (try? await concurrently(keys, width: tier.storage.parallelism) { key in
                    await self.attempt(tier) { try await tier.result(for: key) } ?? nil
                }) ?? []
            }
            for (key, answer) in zip(keys, answers) {
                switch answer {
                case .usable(let result)?: results[key] = result
                case .untrusted(let problem)?: refuse("the result of action \(key.short)", problem, tier)
                case .unusable(let problem)?: refuse("the result of action \(key.short)", problem, tier)
                case nil: break
                }
            }
            unknown = unknown.filter { results[$0] == nil }
        }
        let missed = unknown
        state.withLock { $0.missed.formUnion(missed) }
        return results
    }

    /// One warning for each tier and reason, with the first example.
    private func refuse(_ what: String, _ problem: String, _ tier: Tier) {
        let isFirst = state.withLock { $0.warned.insert("\(tier.name) \(problem)").inserted }
        if isFirst {
            warn("the tier \(tier.name): \(what) is not used, nor others like it: \(problem)")
        }
    }

    public func fetch(_ digest: Digest, limit: Int, to path: String) -> String? {
        waiting { await self.download(digest, limit: limit, to: path) }
    }

    /// As ``fetch(_:limit:to:)``, without blocking a thread.
    func download(_ digest: Digest, limit: Int, to path: String, check: IncomingBlob? = nil) async -> String? {
        var reasons: [String] = []
        for (index, tier) in tiers.enumerated() where isUsable(tier) && !tier.isKnownDamaged(digest) {
            check?.restart()
            let isThere = await attempt(tier) {
                try await tier.download(digest, limit: limit, to: path, check: check)
            }
            switch isThere {
            case true?:
                let bytes = check?.received ?? (try? FileSystem.status(of: path))??.bytes ?? 0
                state.withLock { state in
                    state.source[digest] = index
                    state.fetched += 1
                    state.fetchedBytes += bytes
                }
                return nil
            case false?:
                reasons.append("the tier \(tier.name) does not hold it")
                try? store.memory(of: tier.name).forget([digest])
            case nil:
                _ = unlink(path)
                reasons.append("the tier \(tier.name) could not give it")
            }
        }
        state.withLock { _ = $0.lost.insert(digest) }
        return reasons.isEmpty ? "no tier can be asked" : reasons.joined(separator: ", ")
    }

    public func rejected(_ digest: Digest, _ problem: String) {
        guard let index = state.withLock({ $0.source.removeValue(forKey: digest) }) else { return }
        let tier = tiers[index]
        tier.noteDamage(digest)
        try? store.memory(of: tier.name).forget([digest])
        state.withLock { _ = $0.lost.insert(digest) }
        warnOnce(
            "the tier \(tier.name) holds a damaged blob \(digest.short) (\(problem)); it is made again, or push it from "
                + "a store that holds it")
    }

    public func published(_ key: Digest) { for upload in uploads { upload.add(key) } }

    /// Notes what a push found or brought to a tier.
    public func remember(pushed report: Push.Report, to tier: Tier) { remember(report.uploaded, of: tier) }

    /// What this machine forgets costs a question, so failing to note it is no failure.
    func remember(_ digests: [Digest], of tier: Tier) {
        guard store.access == .readWrite, !digests.isEmpty else { return }
        try? store.memory(of: tier.name).remember(digests)
    }

    private func waiting<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
        // The body throws nothing, so neither does waiting for it.
        do { return try Network.wait(body) } catch { fatalError("unreachable: \(error)") }
    }
}

// MARK: - Uploads

extension TierSet {
    /// What has not reached its tier.
    public struct Pending: Sendable, Equatable, CustomStringConvertible {
        public let tier: String
        public let results: Int
        /// Why, where it failed; nil where time was up.
        public let reason: String?

        public var description: String {
            let why = reason.map { ": \($0)" } ?? " because time was up"
            return "\(results) results did not reach the tier \(tier)\(why); retort store push sends them"
        }
    }

    /// Waits for uploads under way, at most as long as given, then stops them.
    ///
    /// - Returns: What is missing in which tier: empty when everything is there.
    public func finish(within time: Duration) async -> [Pending] {
        let deadline = ContinuousClock.now + time
        let uploads = uploads
        return await withCheckedContinuation { continuation in
            // Waiting blocks a thread, and none of the cooperative pool's may be it.
            DispatchQueue.global().async {
                continuation.resume(returning: uploads.compactMap { $0.finish(by: deadline) })
            }
        }
    }
}

struct Weak: Sendable {
    weak var set: TierSet?
    init(_ set: TierSet?) { self.set = set }
}
