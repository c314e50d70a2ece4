/// Records as lines of bytes.
enum RecordLines {
    /// Where the first `rest` lines end; `rest` is lowered by the lines before that place.
    static func end(of rest: inout Int, in lines: [UInt8]) -> Int {
        var place = 0
        while rest > 0, place < lines.count {
            place = lines[place...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? lines.count
            rest -= 1
        }
        return place
    }
}
