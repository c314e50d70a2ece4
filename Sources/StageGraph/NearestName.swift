/// The name a user most likely meant.
///
/// Case is ignored, an omitted, added or changed letter and two swapped neighbours count one each, and no more than
/// a third of the longer name may differ. Of equally near names the first wins. O(names × length²).
package func nearestName(to written: String, among names: some Sequence<String>) -> String? {
    let pattern = lowercasedBytes(written)
    guard !pattern.isEmpty, pattern.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for name in names {
        let candidate = lowercasedBytes(name)
        let longer = max(pattern.count, candidate.count)
        let limit = min(max(1, longer / 3), best.map { $0.distance - 1 } ?? Int.max)
        guard limit >= 0, abs(pattern.count - candidate.count) <= limit else { continue }
        let distance = editDistance(pattern, candidate)
        if distance <= limit, distance < longer { best = (name, distance) }
    }
    return best?.name
}

/// "; did you mean "x"?" or nothing, then "Label: a, b, c" when the names are few.
package func suggestion(
    for written: String, among names: [String], label: String, listing limit: Int = 12
) -> String {
    let nearest = nearestName(to: written, among: names).map { "; did you mean \"\($0)\"?" }
    guard !names.isEmpty, names.count <= limit else { return nearest ?? "" }
    let list = "\(label): \(names.joined(separator: ", "))"
    return nearest.map { "\($0) \(list)" } ?? "; \(list.prefix(1).lowercased())\(list.dropFirst())"
}

private func lowercasedBytes(_ text: String) -> [UInt8] {
    text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
}

/// The optimal string alignment distance.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        beforeLast = last
        last = row
    }
    return last[b.count]
}
