/// One place in which two JSON values differ.
public struct JSONDifference: Sendable, Equatable {
    /// The keys on the way to the place; empty where the values differ as a whole.
    public let path: [String]
    /// Nil where there was no member.
    public let old: JSON?
    /// Nil where there is no member any more.
    public let new: JSON?

    public init(path: [String], old: JSON?, new: JSON?) {
        self.path = path
        self.old = old
        self.new = new
    }

    /// The path as people write it: `teacher.error-rate`.
    public var name: String { path.joined(separator: ".") }
}

extension JSON {
    /// The members in which this value differs from an earlier one: objects are compared member by member, everything
    /// else as a whole. Empty exactly when the two are equal; a member that is null and one that is absent differ.
    ///
    /// In the canonical order of the keys. O(size).
    public func differences(from old: JSON) -> [JSONDifference] {
        var found: [JSONDifference] = []
        JSON.compare(old, self, path: [], into: &found)
        return found
    }

    private static func compare(_ old: JSON?, _ new: JSON?, path: [String], into found: inout [JSONDifference]) {
        if let before = old?.object, let after = new?.object {
            for key in JSONObject((before.keys + after.keys).map { ($0, JSON.null) }).keys {
                compare(before[key], after[key], path: path + [key], into: &found)
            }
        } else if old != new {
            found.append(JSONDifference(path: path, old: old, new: new))
        }
    }
}
