/// Levenshtein distance of the UTF-8 bytes. O(n·m).
package func editDistance(_ a: String, _ b: String) -> Int {
    let y = Array(b.utf8)
    var row = Array(0...y.count)
    for byte in a.utf8 {
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
