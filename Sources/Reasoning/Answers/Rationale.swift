/// A chain of thought cut in two: the reasoning, and the sentence that states the answer.
public struct Rationale: Sendable, Equatable {
    /// Without white space at its end; empty when the response is nothing but a conclusion.
    public let reasoning: String
    /// From the beginning of the sentence with the last "the answer is" to the end.
    public let conclusion: String

    /// Cuts a response before the sentence or line in which its last conclusion stands; nil without a conclusion.
    ///
    /// A sentence begins after a line feed, or after a full stop, question or exclamation mark and a space. O(n).
    public init?(of response: String) {
        guard let conclusion = Conclusion.last(in: response) else { return nil }
        let text = Array(response.utf8)
        var cut = conclusion.start
        // What ends the sentence before; the phrase itself, such as "Answer:" or "####", holds none of it.
        while cut > 0 {
            if text[cut - 1] == UInt8(ascii: "\n") { break }
            if cut > 1, text[cut - 1] == UInt8(ascii: " "), ".?!".utf8.contains(text[cut - 2]) { break }
            cut -= 1
        }
        var end = cut
        while end > 0, text[end - 1] == 0x20 || 0x09...0x0D ~= text[end - 1] { end -= 1 }
        reasoning = String(decoding: text[..<end], as: UTF8.self)
        self.conclusion = String(decoding: text[cut...], as: UTF8.self)
    }
}
