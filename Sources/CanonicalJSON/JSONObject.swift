/// The members of a JSON object, kept sorted by the UTF-8 bytes of their keys.
public struct JSONObject: Sendable, Equatable {
    public typealias Element = (key: String, value: JSON)

    /// The members in canonical order.
    public private(set) var members: [Element]

    public init() { members = [] }

    /// Members from pairs in any order; a later duplicate of a key replaces the earlier one. O(n log n).
    public init(_ pairs: some Sequence<(String, JSON)>) { self.init(Array(pairs)) }

    /// Members from pairs in any order; a later duplicate of a key replaces the earlier one. O(n log n).
    public init(_ pairs: [(String, JSON)]) {
        guard pairs.count > JSONObject.few else {
            // A record has a few members, and there are many records: no lists on the way.
            members = []
            members.reserveCapacity(pairs.count)
            for (key, value) in pairs { self[key] = value }
            return
        }
        var indexed = pairs.enumerated().map { (offset: $0.offset, key: $0.element.0, value: $0.element.1) }
        indexed.sort { a, b in
            switch compareUTF8(a.key, b.key) {
            case ..<0: true
            case 0: a.offset < b.offset
            default: false
            }
        }
        members = []
        members.reserveCapacity(indexed.count)
        for entry in indexed {
            if let last = members.last, compareUTF8(last.key, entry.key) == 0 {
                members[members.count - 1].value = entry.value
            } else {
                members.append((entry.key, entry.value))
            }
        }
    }

    /// Up to so many members are best put in place one by one.
    private static let few = 8

    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }
    public var keys: [String] { members.map(\.key) }

    /// Reads, replaces, inserts or (with nil) removes a member. Reading is O(log n), writing O(n).
    public subscript(key: String) -> JSON? {
        get {
            let index = lowerBound(key)
            guard index < members.count, compareUTF8(members[index].key, key) == 0 else { return nil }
            return members[index].value
        }
        set {
            let index = lowerBound(key)
            let found = index < members.count && compareUTF8(members[index].key, key) == 0
            switch (found, newValue) {
            case (true, let value?): members[index].value = value
            case (true, nil): members.remove(at: index)
            case (false, let value?): members.insert((key, value), at: index)
            case (false, nil): break
            }
        }
    }

    public static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.members.count == b.members.count
            && zip(a.members, b.members).allSatisfy { compareUTF8($0.key, $1.key) == 0 && $0.value == $1.value }
    }

    private func lowerBound(_ key: String) -> Int {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if compareUTF8(members[middle].key, key) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Orders two strings by their UTF-8 bytes: negative, zero or positive. O(shorter length).
public func compareUTF8(_ a: String, _ b: String) -> Int {
    let order: Int?? = a.utf8.withContiguousStorageIfAvailable { x in
        b.utf8.withContiguousStorageIfAvailable { y in
            let shared = Swift.min(x.count, y.count)
            for index in 0..<shared where x[index] != y[index] {
                return Int(x[index]) - Int(y[index])
            }
            return x.count - y.count
        }
    }
    if case .some(.some(let known)) = order { return known }
    if a.utf8.lexicographicallyPrecedes(b.utf8) { return -1 }
    return a.utf8.elementsEqual(b.utf8) ? 0 : 1
}
