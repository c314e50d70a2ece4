import CanonicalJSON
import Testing
import Tokenization

/// Split patterns beyond the families that have scanners of their own; expected words from Oniguruma.
@Suite struct RegexTests {
    /// The words that a Split makes of a text: a vocabulary without characters makes each one unknown token.
    private func words(_ pattern: String, _ text: String, behavior: String = "Isolated") throws -> [String] {
        let split: JSON = [
            "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": .string(behavior), "invert": false,
        ]
        let model: JSON = [
            "type": "BPE", "vocab": ["?": 0], "merges": [], "unk_token": "?", "fuse_unk": true,
        ]
        let tokenizer = try Tokenizer(["version": "1.0", "pre_tokenizer": split, "model": model])
        let bytes = Array(text.utf8)
        return tokenizer.encodeWithOffsets(text).offsets.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test func findsWhatOnigurumaFinds() throws {
        #expect(try words("\\p{N}{1,3}", "a1234567b") == ["a", "123", "456", "7", "b"])
        #expect(try words("[a-c[x-z]]+|[^a-z]", "abzq1 x") == ["abz", "q", "1", " ", "x"])
        #expect(
            try words("(?<=a)b|(?<!\\s)\\d|[A-Z](?=[a-z])", "ab b1 2Cd C") == ["a", "b", " b", "1", " 2", "C", "d C"])
        #expect(try words("a.*?b|x+?y", "aabab xxy") == ["aab", "ab", " ", "xxy"])
        #expect(try words("(?i)the|(?i:k)\\d", "The tHE K1\u{212A}2") == ["The", " ", "tHE", " ", "K1", "\u{212A}2"])
        #expect(try words("a++b|(?>x+)y|.", "aab xxy") == ["aab", " ", "xxy"])
        #expect(try words("(a|ab)(c|bcd)*", "abcd") == ["abcd"])
        #expect(try words("^t|e$", "te\nte") == ["t", "e", "\n", "t", "e"])
        #expect(try words("\\x41|\\u00e9|\\x{1F600}", "A\u{E9}\u{1F600}x") == ["A", "\u{E9}", "\u{1F600}", "x"])
        #expect(try words("\\w+", "a_1 \u{B2}-b", behavior: "MergedWithNext") == ["a_1 ", "\u{B2}-", "b"])
    }

    @Test func anEmptyMatchSeparates() throws {
        #expect(try words("x*", "axxb") == ["a", "xx", "b"])
        #expect(try words("(a*)*b|(?:)", "aab c") == ["aab", " ", "c"])
    }

    @Test func matchingTakesLinearTime() throws {
        let text = String(repeating: "a", count: 20_000)
        #expect(try words("(a*)*b", text) == [text])
        #expect(try words("(?:(?:a+)+)+!", text) == [text])
        #expect(try words("a*a*a*a*a*c", text) == [text])
    }

    @Test(arguments: [
        ("(a", "a bracket is not closed"), ("a)", "a bracket is not open"), ("[a", "a set is not closed"),
        ("\\1", "the escape \\1 is not supported"), ("\\p{Han}", "the property \\p{Han} is not supported"),
        ("(?=ab)", "looking at more than one character is not supported"),
        ("(?<n>a)", "a group of this kind is not supported"), ("*", "nothing to repeat"),
        ("[a&&b]", "an intersection of sets is not supported"), ("a{2,1}", "the interval from 2 to 1 is not supported"),
        ("(((a{1000}){1000}){1000})", "the regular expression is too large"),
        (String(repeating: "(", count: 9999), "nested deeper than 50 levels"),
    ]) func whatIsNotSupportedIsNamed(_ pattern: String, _ problem: String) {
        let error = #expect(throws: TokenizerError.self) { try words(pattern, "") }
        #expect(
            error
                == TokenizerError(
                    path: "pre_tokenizer.pattern",
                    problem: "the regular expression \(pattern.debugDescription): \(problem)"))
    }
}
