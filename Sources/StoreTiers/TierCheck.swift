import ContentStore
import Glibc

/// What a verification of a tier found.
public struct TierAudit: Sendable, Equatable {
    public var blobs = 0
    public var results = 0
    /// What is wrong, by the object's name.
    public var damaged: [String] = []
    /// Results that need a blob the tier does not hold.
    public var incomplete: [String] = []
    /// Results that nobody trusted vouches for.
    public var untrusted: [String] = []
    /// Whether the tier could say itself what it holds; else only what this store knows was looked at.
    public var isListed = false

    public var isClean: Bool { damaged.isEmpty && incomplete.isEmpty && untrusted.isEmpty }
}

/// Reads what a tier holds and compares it with what it should be.
public struct TierCheck: Sendable {
    private let tier: Tier
    private let store: LocalStore

    public init(_ tier: Tier, _ store: LocalStore) {
        self.tier = tier
        self.store = store
    }

    /// Checks everything in the tier; in one that cannot list, everything that this store's results name.
    ///
    /// - Throws: ``TierError`` where the tier cannot be used.
    public func audit() async throws -> TierAudit {
        try await tier.prepare()
        var audit = TierAudit()
        var blobs: Set<Digest> = []
        var keys: [Digest] = []
        if let contents = try await tier.storage.contents() {
            audit.isListed = true
            for object in contents {
                switch object {
                case .blob(let digest): blobs.insert(digest)
                case .result(let key): keys.append(key)
                case .format, .segment: break
                }
            }
        } else {
            keys = try store.actionKeys()
        }
        let readings = try await concurrently(keys.sorted(), width: tier.storage.parallelism) { key in
            (key, try await self.tier.result(for: key))
        }
        var needs: [(key: Digest, references: [Digest])] = []
        for (key, reading) in readings {
            guard let reading else { continue }
            audit.results += 1
            switch reading {
            case .usable(let result): needs.append((key, result.references))
            case .untrusted(let problem): audit.untrusted.append("result \(key.hex): \(problem)")
            case .unusable(let problem): audit.damaged.append("result \(key.hex): \(problem)")
            }
        }
        if !audit.isListed {
            blobs = try await tier.held(among: Array(Set(needs.flatMap(\.references))).sorted()).held
        }
        let sorted = blobs.sorted()
        audit.blobs = sorted.count
        let problems = try await concurrently(sorted, width: tier.storage.parallelism) { try await self.problem($0) }
        var damaged: [Digest] = []
        for (digest, problem) in zip(sorted, problems) {
            guard let problem else { continue }
            audit.damaged.append("blob \(digest.hex): \(problem)")
            damaged.append(digest)
        }
        // A push has to look at them again, even where the disk lost a bit and nothing else shows it.
        if store.access == .readWrite { try? CheckedBlobs(store, tier: tier.name).forget(damaged) }
        for (key, references) in needs {
            if let lost = references.first(where: { !blobs.contains($0) }) {
                audit.incomplete.append("result \(key.hex): it needs blob \(lost.short), which is not there")
            }
        }
        return audit
    }

    enum Problem: Sendable, Equatable, CustomStringConvertible {
        case gone
        case damaged(String)

        var description: String {
            switch self {
            case .gone: "it is not there any more"
            case .damaged(let problem): problem
            }
        }
    }

    /// What is wrong with a blob in the tier; nil where it is intact.
    func problem(_ digest: Digest) async throws -> Problem? {
        let path = try store.makeTransferPath()
        defer { _ = unlink(path) }
        do {
            let incoming = IncomingBlob(digest, limit: 1 << 40)
            guard try await tier.download(digest, limit: 1 << 40, to: path, check: incoming) else { return .gone }
            if incoming.isIntact() { return nil }
            return try store.problem(ofFileAt: path, for: digest).map { .damaged($0) }
        } catch let error as TierError where error.code == .damaged {
            return .damaged(error.problem)
        }
    }
}
