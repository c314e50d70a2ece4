import CanonicalJSON
import ContentStore

/// Why an action has to run.
public enum Reason: Sendable, Equatable {
    /// No result of this stage was ever seen by this pipeline in this store.
    case neverRan
    /// A field of the key differs from the last run's; nil where one of the two has no such field.
    case changed(field: String, old: JSON?, new: JSON?)
    /// What arrives on an input differs from the last run's.
    case inputChanged(InputChange)
    /// A file or directory that a parameter names differs from the last run's.
    case sourceChanged(SourceChange)
    /// The result is known but some of its content is no longer in the store, and something reads it.
    case resultLost(missing: [Digest])
    /// The action ran, but the record of its result is no longer in the store.
    case resultRemoved(key: Digest)
    /// The stage ran last time with another key, whose record is gone, so that nothing can be compared.
    case lastResultRemoved(key: Digest)
    /// A result is there but cannot be used, and why. It has been put aside.
    case resultUnusable(String)
}

/// How the content behind a role differs from what it was.
public struct InputChange: Sendable, Equatable {
    public let role: String
    /// The prefix of the shard, where the change is confined to one; nil for a whole artifact.
    public let shard: String?
    /// Nil where there was nothing.
    public let old: ActionPreimage.Content?
    /// Nil where there is nothing any more.
    public let new: ActionPreimage.Content?
    /// For an artifact of which several shards differ, how many.
    public let shards: Int?

    public init(
        role: String, shard: String? = nil, old: ActionPreimage.Content?, new: ActionPreimage.Content?,
        shards: Int? = nil
    ) {
        self.role = role
        self.shard = shard
        self.old = old
        self.new = new
        self.shards = shards
    }
}

/// How a file or directory that a parameter names differs from what it was.
public struct SourceChange: Sendable, Equatable {
    /// The parameter: "prompt", "teacher.path".
    public let parameter: String
    /// The file's name without its folders.
    public let file: String?
    public let old: Digest?
    public let new: Digest?
    /// How many lines differ, where both texts are known.
    public var lines: Int?
    /// Of a directory, which files differ, where both lists are known.
    public var files: FileChanges?

    public init(
        parameter: String, file: String?, old: Digest?, new: Digest?, lines: Int? = nil, files: FileChanges? = nil
    ) {
        self.parameter = parameter
        self.file = file
        self.old = old
        self.new = new
        self.lines = lines
        self.files = files
    }
}

extension Reason: CustomStringConvertible {
    /// One line for people: "parameter beta: 0.025 → 0.05".
    public var description: String {
        switch self {
        case .neverRan: "never ran"
        case .changed(let field, let old, let new): "\(field): \(Reason.brief(old)) → \(Reason.brief(new))"
        case .inputChanged(let change): "\(change)"
        case .sourceChanged(let change): "\(change)"
        case .resultLost(let missing):
            "result lost: blob \(missing.first?.short ?? "?") missing"
                + (missing.count > 1 ? " and \(missing.count - 1) more" : "")
        case .resultRemoved(let key): "result lost: the record of action \(key.short) missing"
        case .lastResultRemoved(let key):
            "differs from the last run, whose record (action \(key.short)) is no longer in the store"
        case .resultUnusable(let why): "result unusable: \(why)"
        }
    }

    /// Values longer than this are cut in ``description``.
    private static let shownCharacters = 80

    private static func brief(_ value: JSON?) -> String {
        guard let value, !value.isNull else { return "none" }
        let text = value.canonicalText
        return text.count <= shownCharacters ? text : text.prefix(shownCharacters) + "…"
    }
}

extension InputChange: CustomStringConvertible {
    public var description: String {
        let place = "input \(role)" + (shard.map { ", shard \($0.isEmpty ? "*" : $0)" } ?? "")
        guard old?.records != nil || new?.records != nil else {
            return "\(place): \(old?.digest.short ?? "none") → \(new?.digest.short ?? "none")"
        }
        let among = shards.map { ", \($0) shards differ" } ?? ""
        guard let old, let new else {
            return "\(place): \(InputChange.amount(old) ?? "none") → \(InputChange.amount(new) ?? "none")\(among)"
        }
        guard old.records == new.records else {
            return "\(place): \(old.records ?? 0) → \(InputChange.amount(new) ?? "none")\(among)"
        }
        let amount = InputChange.amount(new) ?? "none"
        return shards == nil
            ? "\(place): \(amount), other content (\(old.digest.short) → \(new.digest.short))"
            : "\(place): \(amount)\(among)"
    }

    private static func amount(_ content: ActionPreimage.Content?) -> String? {
        content.map { content in content.records == 1 ? "1 record" : "\(content.records ?? 0) records" }
    }
}

extension SourceChange: CustomStringConvertible {
    public var description: String {
        let place = parameter + (file.map { " \($0)" } ?? "")
        if let files { return "\(place): \(files)" }
        if let lines { return "\(place): \(lines) \(lines == 1 ? "line differs" : "lines differ")" }
        guard let old, let new else { return "\(place): \(old?.short ?? "none") → \(new?.short ?? "none")" }
        return "\(place): other content (\(old.short) → \(new.short))"
    }
}
