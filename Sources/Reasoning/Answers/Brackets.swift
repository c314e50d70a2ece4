/// Sequences of brackets, as in completing a Dyck word.
enum Brackets {
    /// The brackets with one space between each two; nil when the text has anything but brackets, commas, quotes and
    /// white space, or no bracket.
    static func read(_ text: ArraySlice<UInt8>) -> String? {
        var brackets: [UInt8] = []
        for byte in text {
            if "()[]{}<>".utf8.contains(byte) {
                brackets.append(byte)
            } else if !" ,\"'`*\t".utf8.contains(byte) {
                return nil
            }
        }
        guard !brackets.isEmpty else { return nil }
        return brackets.map { String(Unicode.Scalar($0)) }.joined(separator: " ")
    }
}
