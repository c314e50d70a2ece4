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

    /// What is done about blobs that the tier holds already.
    public enum Checking: Sendable {
        /// What was seen there before is there.
        case none
        /// What is new to this machine or has changed since it was last verified is read.
        case changed
        /// Everything is read.
        case everything
    }

    public struct Report: Sendable {
        public var results = 0
        public var uploaded: [Digest] = []
        public var uploadedBytes = 0
        public var alreadyThere = 0
        /// Of those that were there, how many were read.
        public var verified = 0
        /// Blobs the tier held damaged, sent again.
        public var healed: [Digest] = []
        public var failedResults: [Digest: String] = [:]
        public var errors: [any Error] = []

        public var isComplete: Bool { errors.isEmpty && failedResults.isEmpty }
    }

    private let tier: Tier
    private let store: LocalStore
    private let checked: CheckedBlobs
    private let onProgress: @Sendable (Progress) -> Void

    public init(to tier: Tier, from store: LocalStore, onProgress: @escaping @Sendable (Progress) -> Void = { _ in }) {
        self.tier = tier
        self.store = store
        self.onProgress = onProgress
        checked = CheckedBlobs(store, tier: tier.name)
    }

    /// Sends the blobs that are missing there, then the results whose blobs are all there.
    ///
    /// - Parameters:
    ///   - keys: actions whose results this store holds; those it does not hold are left out.
    ///   - blobs: further blobs, such as those of an artifact.
    ///   - checking: finds what the tier holds damaged; it is sent again.
    /// - Throws: ``TierError`` where the tier cannot be used at all.
    public func send(
        results keys: [Digest], blobs: [Digest] = [], checking: Checking = .none
    ) async throws -> Report {
        let results = try keys.compactMap { key in try store.result(for: key).map { (key: key, result: $0) } }
        let needed = Array(Set(results.flatMap(\.result.references) + blobs)).sorted()
        var report = Report()
        let held = try await heldIntact(needed, checking, &report)
        report.alreadyThere = held.count
        let missing = needed.filter { !held.contains($0) }
        let counter = Counter(total: missing.count + results.count, onProgress)
        let lacking = try await send(missing, counter, &report)
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

    /// Sends blobs. Returns those that did not arrive.
    private func send(_ missing: [Digest], _ counter: Counter, _ report: inout Report) async throws -> Set<Digest> {
        let sent = try await concurrently(missing, width: tier.storage.parallelism) { digest in
            let outcome = await self.send(digest)
            counter.advance((try? outcome.get())?.bytes ?? 0)
            return outcome
        }
        var lacking: Set<Digest> = []
        var intact: [(digest: Digest, status: ObjectStatus)] = []
        for (digest, outcome) in zip(missing, sent) {
            switch outcome {
            case .success(let sent):
                report.uploaded.append(digest)
                report.uploadedBytes += sent.bytes
                if let status = sent.status { intact.append((digest, status)) }
            case .failure(let error):
                lacking.insert(digest)
                report.errors.append(error)
            }
        }
        note(intact)
        return lacking
    }

    private func send(_ digest: Digest) async -> Result<(bytes: Int, status: ObjectStatus?), any Error> {
        do {
            guard let file = try store.blobFile(digest) else {
                throw TierError(
                    .missing, tier.name, "blob \(digest.short) is not there, and not in the local store either",
                    remedy: "pull it first, or run the pipeline again")
            }
            let status = try await tier.upload(digest, fileAt: file.path, bytes: file.bytes)
            return .success((file.bytes, status))
        } catch {
            return .failure(error)
        }
    }

    /// Those of `digests` that the tier holds, damaged ones left out.
    private func heldIntact(
        _ digests: [Digest], _ checking: Checking, _ report: inout Report
    ) async throws -> Set<Digest> {
        if case .none = checking { return try await tier.held(among: digests).held }
        let present = zip(digests, try await tier.statuses(of: digests)).compactMap { digest, status in
            status.map { (digest: digest, status: $0) }
        }
        var marks: [Digest: [UInt8]] = [:]
        if case .changed = checking { marks = (try? checked.marks()) ?? [:] }
        let unknown = present.filter { marks[$0.digest] != CheckedBlobs.mark($0.status) }
        let check = TierCheck(tier, store)
        let problems = try await concurrently(unknown, width: tier.storage.parallelism) {
            try await check.problem($0.digest)
        }
        report.verified = unknown.count
        let bad = zip(unknown, problems).filter { $1 != nil }
        for (blob, _) in bad { tier.noteDamage(blob.digest) }
        // What was seen and is gone was not damaged there.
        report.healed = bad.filter { $1 != .gone }.map(\.0.digest)
        note(zip(unknown, problems).filter { $1 == nil }.map(\.0))
        return Set(present.map(\.digest)).subtracting(bad.map(\.0.digest))
    }

    /// What this machine forgets costs reading a blob once more, so failing to note it is no failure.
    private func note(_ intact: [(digest: Digest, status: ObjectStatus)]) {
        guard store.access == .readWrite else { return }
        try? checked.note(intact)
    }
}
