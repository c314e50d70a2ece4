import CanonicalJSON
import Glibc
import SeededRandomness
import TestData
import Testing
import Tokenization

/// Random texts against the Python package `tokenizers`, for the tokenizers of the goldens.
///
/// Opt-in: set TOKENIZERS_PYTHON to a Python interpreter that has the package.
@Suite struct PythonComparisonTests {
    static let python = getenv("TOKENIZERS_PYTHON").map { String(cString: $0) }
    static let folder = "goldens/tokenizers"

    /// Reads JSON strings, one a line; writes identifiers, byte offsets and decoded text.
    private static let script = """
        import json, sys
        from tokenizers import Tokenizer
        tokenizer = Tokenizer.from_file(sys.argv[1])
        for line in sys.stdin:
            text = json.loads(line)
            encoding = tokenizer.encode(text, add_special_tokens=False)
            place = [0]
            for character in text:
                place.append(place[-1] + len(character.encode()))
            offsets = [place[end] for pair in encoding.offsets for end in pair]
            decoded = tokenizer.decode(encoding.ids, skip_special_tokens=False)
            print(json.dumps([encoding.ids, offsets, decoded]))
        """

    @Test(
        .enabled(if: python != nil, "needs TOKENIZERS_PYTHON"),
        .enabled(if: SharedData.exists(folder), "needs ../shared/\(folder)"), arguments: GoldenTests.families)
    func randomTextsAgree(_ family: String) throws {
        let file = "\(Self.folder)/\(family)/tokenizer.json"
        let tokenizer = try GoldenTokenizers.tokenizer(family)
        var random = SplitMix(seed: 11)
        let texts = (0..<2000).map { _ in text(&random) }
        for (text, line) in zip(texts, try expected(texts, "\(SharedData.folder)/\(file)")) {
            let row = try #require(JSON.parse(line).array)
            let encoding = tokenizer.encodeWithOffsets(text)
            let offsets = encoding.offsets.flatMap { [$0.lowerBound, $0.upperBound] }
            #expect(encoding.ids.map(Int.init) == row[0].array?.compactMap(\.integer), "\(text.debugDescription)")
            #expect(offsets == row[1].array?.compactMap(\.integer), "\(text.debugDescription)")
            #expect(JSON.string(tokenizer.decode(encoding.ids)) == row[2], "\(text.debugDescription)")
        }
    }

    private func expected(_ texts: [String], _ tokenizer: String) throws -> [ArraySlice<UInt8>] {
        var template = Array("/tmp/tokenizers-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { system("rm -r '\(folder)'") }
        for (name, content) in [
            ("script.py", Self.script), ("texts", texts.map { JSON.string($0).canonicalText }.joined(separator: "\n")),
        ] {
            let stream = try #require(fopen("\(folder)/\(name)", "w"))
            fputs(content, stream)
            fclose(stream)
        }
        let command = "'\(Self.python ?? "")' \(folder)/script.py '\(tokenizer)' < \(folder)/texts > \(folder)/out"
        try #require(system(command) == 0)
        return try SharedData.contents("\(folder)/out").split(separator: 0x0A)
    }

    /// Characters of several kinds in odd company.
    private func text(_ random: inout SplitMix) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x09...0x0D, 0xA0...0x24F, 0x300...0x36F, 0x900...0x9FF, 0x1100...0x11FF, 0x1E00...0x1EFF,
            0x2000...0x206F, 0x3040...0x30FF, 0x4E00...0x9FFF, 0xAC00...0xD7A3, 0x1F300...0x1FAFF, 0x1...0x10FFFF,
        ]
        let pieces = [
            "'s", "'LL", "'\u{17F}", "e\u{301}", "a\u{328}\u{301}", "\u{212B}", "\u{958}", "\u{1112}\u{1161}\u{11AB}",
            "\u{2581}",
            "<s>", "</s>", "<|im_start|>", "<|endoftext|>", "<think>", "<0x41>", "  ", "\r\n", "123", "the ",
        ]
        let chosen = (0..<Int.random(in: 1...3, using: &random)).map { _ in ranges.randomElement(using: &random)! }
        var text = String.UnicodeScalarView()
        for _ in 0..<[1, 4, 12, 50].randomElement(using: &random)! {
            if Int.random(in: 0..<4, using: &random) == 0 {
                text.append(contentsOf: pieces.randomElement(using: &random)!.unicodeScalars)
            } else if let scalar = Unicode.Scalar(
                UInt32.random(in: chosen.randomElement(using: &random)!, using: &random))
            {
                text.append(scalar)
            }
        }
        return String(text)
    }
}
