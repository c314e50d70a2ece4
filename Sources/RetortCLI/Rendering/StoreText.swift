import CanonicalJSON
import ContentStore
import Stages

/// What there is to say about a store, in lines.
enum StoreText {
    static func lines(_ statistics: StoreStatistics) -> [String] {
        [
            "blobs       \(statistics.blobs), \(size(statistics.blobBytes))",
            "results     \(statistics.actions), \(size(statistics.actionBytes))",
            "roots       \(statistics.roots)",
            "quarantined \(statistics.quarantined), \(size(statistics.quarantinedBytes))",
        ]
    }

    static func lines(_ audit: StoreAudit) -> [String] {
        let findings = audit.damagedBlobs + audit.unusableActions + audit.lostActions
        let repaired =
            audit.isRepaired && !findings.isEmpty ? "; it was moved to quarantine, run again to make it anew" : ""
        return ["checked \(audit.checkedBlobs) blobs (\(size(audit.contentBytes))) and \(audit.checkedActions) results"]
            + findings.map { "damaged: \($0)" } + audit.brokenRoots.map { "broken root: \($0)" }
            + audit.newerActions.map { "cannot be checked: \($0); update Retort" }
            + audit.strays.map { "does not belong here: \($0)" }
            + [
                audit.isClean
                    ? "nothing is wrong"
                    : "\(findings.count) damaged, \(audit.brokenRoots.count) broken roots, "
                        + (audit.newerActions.isEmpty ? "" : "\(audit.newerActions.count) of a newer Retort, ")
                        + "\(audit.strays.count) stray\(repaired)"
            ]
    }

    static func line(_ root: Root, in store: LocalStore) -> String {
        "root        \(root.name)\(meaning(of: root.name, in: store)): \(root.actions.count) results, "
            + "\(root.artifacts.count) artifacts"
    }

    /// The pipeline behind the root of a last run, whose name is only a digest.
    private static func meaning(of root: String, in store: LocalStore) -> String {
        if root.hasPrefix("unfinished-") { return " (what an unfinished run has finished)" }
        // Only a courtesy: a history that cannot be read is complained about where it is needed.
        guard root.hasPrefix("last-run-"), let history = try? store.readDocument(root),
            let pipeline = history["pipeline"]?.string
        else { return "" }
        return " (the last run of \(pipeline))"
    }

    static func lines(_ collection: Collection, isDone: Bool, in store: LocalStore) -> [String] {
        let kept = collection.keptByRoot.map {
            "kept for \($0.root)\(meaning(of: $0.root, in: store)): \(amount($0.amount))"
        }
        return kept + [
            "kept because it is in use: \(amount(collection.keptInUse))",
            "kept because it is recent: \(amount(collection.keptRecent))",
            isDone
                ? "removed \(amount(collection.removed))"
                : "would remove \(amount(collection.removed)); --delete removes it",
        ]
    }

    private static func amount(_ amount: Collection.Amount) -> String { "\(amount.files) files, \(size(amount.bytes))" }

    static func size(_ bytes: Int) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(FixedPoint.text(value, digits: unit == 0 ? 0 : 1)) \(units[unit])"
    }
}
