import ContentStore
import HTTPTransport
import Synchronization

/// Sends results and blobs from a store to a tier.
public struct Push: Sendable {
    /// How it goes, for people: objects sent, of how many.
    public struct Progress: Sendable, Equatable {
        public var done: Int
        public var total: Int
        public var bytes: Int
    }

    public struct Report: Sendable {
        public var results = 0
        public var uploaded: [Digest] = []
        public var uploadedBytes = 0
        public var alreadyThere = 0
        /// Blobs the tier held damaged, sent again.
        public var healed: [Digest] = []
        public var failedResults: [Digest: String] = [:]
        public var errors: [any Error] = []

        public var isComplete: Bool { errors.isEmpty && failedResults.isEmpty }
    }

    private let tier: Tier
    private let store: LocalStore
    private let onProgress: @Sendable (Progress) -> Void

    public init(to tier: Tier, from store: LocalStore, onProgress: @escaping @Sendable (Progress) -> Void = { _ in }) {
        self.tier = tier
        self.store = store
        self.onProgress = onProgress
    }

    /// Sends the blobs that are missing there, then the results whose blobs are all there.
    ///
    /// - Parameters:
    ///   - keys: actions whose results this store holds; those it does not hold are left out.
    ///   - blobs: further blobs, such as those of an artifact.
    ///   - verifying: reads what the tier holds already and sends it again where it is damaged.
    /// - Throws: ``TierError`` where the tier cannot be used at all.
    public func send(
        results keys: [Digest], blobs: [Digest] = [], verifying: Bool = false
    ) async throws -> Report {
        let results = try keys.compactMap { key in try store.result(for: key).map { (key: key, result: $0) } }
        let needed = Array(Set(results.flatMap(\.result.references) + blobs)).sorted()
        var report = Report()
        let held = try await heldIntact(needed, verifying: verifying, &report)
        report.alreadyThere = held.count
        let missing = needed.filter { !held.contains($0) }
        let counter = Counter(total: missing.count + results.count, onProgress)
        let sent = try await concurrently(missing, width: tier.storage.parallelism) { digest in
            let outcome = await self.send(digest)
            counter.advance((try? outcome.get()) ?? 0)
            return outcome
        }
        var lacking: Set<Digest> = []
        for (digest, outcome) in zip(missing, sent) {
            switch outcome {
            case .success(let bytes):
                report.uploaded.append(digest)
                report.uploadedBytes += bytes
            case .failure(let error):
                lacking.insert(digest)
                report.errors.append(error)
            }
        }
        report.healed = report.healed.filter { !lacking.contains($0) }
        let whole = results.filter { !$0.result.references.contains(where: lacking.contains) }
        let published = try await concurrently(whole, width: tier.storage.parallelism) { entry -> (any Error)? in
            defer { counter.advance(0) }
            do {
                try await self.tier.upload(entry.result, for: entry.key)
                return nil
            } catch {
                return error
            }
        }
        report.results = published.count { $0 == nil }
        for (entry, error) in zip(whole, published) {
            guard let error else { continue }
            report.errors.append(error)
            report.failedResults[entry.key] = (error as? TierError)?.problem ?? "\(error)"
        }
        for entry in results where entry.result.references.contains(where: lacking.contains) {
            report.failedResults[entry.key] = "a blob it needs could not be sent"
        }
        return report
    }

    private final class Counter: Sendable {
        private let progress: Mutex<Progress>
        private let onProgress: @Sendable (Progress) -> Void

        init(total: Int, _ onProgress: @escaping @Sendable (Progress) -> Void) {
            progress = Mutex(Progress(done: 0, total: total, bytes: 0))
            self.onProgress = onProgress
        }

        func advance(_ bytes: Int) {
            let now = progress.withLock { progress in
                progress.done += 1
                progress.bytes += bytes
                return progress
            }
            onProgress(now)
        }
    }

    private func send(_ digest: Digest) async -> Result<Int, any Error> {
        do {
            guard let file = try store.blobFile(digest) else {
                throw TierError(
                    .missing, tier.name, "blob \(digest.short) is not there, and not in the local store either",
                    remedy: "pull it first, or run the pipeline again")
            }
            try await tier.upload(digest, fileAt: file.path, bytes: file.bytes)
            return .success(file.bytes)
        } catch {
            return .failure(error)
        }
    }

    private func heldIntact(
        _ digests: [Digest], verifying: Bool, _ report: inout Report
    ) async throws -> Set<Digest> {
        let held = try await tier.held(among: digests).held
        guard verifying else { return held }
        let check = TierCheck(tier, store)
        let present = digests.filter(held.contains)
        let problems = try await concurrently(present, width: tier.storage.parallelism) { try await check.problem($0) }
        let bad = zip(present, problems).filter { $1 != nil }
        for (digest, _) in bad { tier.noteDamage(digest) }
        // What was remembered and is gone was not damaged there.
        report.healed = bad.filter { $1 != .gone }.map(\.0)
        return held.subtracting(bad.map(\.0))
    }
}
