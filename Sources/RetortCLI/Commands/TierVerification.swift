import HTTPTransport
import StoreTiers

/// `retort store verify --tier URL`: reads what a tier holds and says what is wrong.
enum TierVerification {
    static func run(_ storeOptions: StoreOptions, _ tierOptions: TierOptions) throws {
        let (store, tiers) = try tierOptions.open(storeOptions, for: nil)
        var isClean = true
        let named = try (tierOptions.urls + tierOptions.readOnlyURLs).map { try TierURL($0).description }
        for tier in tiers?.tiers ?? [] where named.contains(tier.name) {
            let audit = try Network.wait { try await TierCheck(tier, store).audit() }
            for line in lines(audit, tier.name) { StandardStream.output.line(line) }
            isClean = isClean && audit.isClean
        }
        if !isClean { throw ExitStatus.failure }
    }

    private static func lines(_ audit: TierAudit, _ tier: String) -> [String] {
        let scope = audit.isListed ? "" : ", those that this store's results name, because the tier cannot list its own"
        return ["\(tier): checked \(audit.blobs) blobs and \(audit.results) results\(scope)"]
            + audit.damaged.map { "damaged: \($0)" } + audit.incomplete.map { "incomplete: \($0)" }
            + audit.untrusted.map { "untrusted: \($0)" }
            + [
                audit.isClean
                    ? "nothing is wrong"
                    : "\(audit.damaged.count) damaged, \(audit.incomplete.count) incomplete, "
                        + "\(audit.untrusted.count) untrusted; retort store push sends damaged blobs again"
            ]
    }
}
