import SyntheticTasks

/// The valid name that a misspelt one most likely means: least Levenshtein distance of the UTF-8 bytes, the first of
/// equals. Nil when no name is given. O(names · n · m).
func nearestName(to name: String, among valid: [String]) -> String? {
    valid.map { (name: $0, distance: editDistance(name, $0)) }.min { $0.distance < $1.distance }?.name
}

/// `; did you mean X?`, or nothing when there is no valid name.
func suggestion(for name: String, among valid: [String], quoted: (String) -> String = { "\"\($0)\"" }) -> String {
    nearestName(to: name, among: valid).map { "; did you mean \(quoted($0))?" } ?? ""
}
