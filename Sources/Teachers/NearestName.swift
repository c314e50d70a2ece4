/// The valid name that a misspelt one most likely means: least Levenshtein distance of the UTF-8 bytes, the first of
/// equals. Nil when no name is given. O(names · n · m).
func nearestName(to name: String, among valid: [String]) -> String? {
    func distance(_ other: String) -> Int {
        let y = Array(other.utf8)
        var row = Array(0...y.count)
        for byte in name.utf8 {
            var diagonal = row[0]
            row[0] += 1
            for j in y.indices {
                let replaced = diagonal + (byte == y[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[y.count]
    }
    return valid.map { (name: $0, distance: distance($0)) }.min { $0.distance < $1.distance }?.name
}

/// `; did you mean X?`, or nothing when there is no valid name.
func suggestion(for name: String, among valid: [String], quoted: (String) -> String = { "\"\($0)\"" }) -> String {
    nearestName(to: name, among: valid).map { "; did you mean \(quoted($0))?" } ?? ""
}
