import CanonicalJSON
import Foundation
import Reasoning
import SeededRandomness
import Testing

@testable import RetortCLI

/// Damaged lines of pairs: each is aligned exactly or refused with a reason. More rounds with RETORT_FUZZ_ROUNDS, other
/// ones with RETORT_FUZZ_SEED.
@Suite struct PairLineFuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private let rounds = Self.environment["RETORT_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 600
    private let seed = Self.environment["RETORT_FUZZ_SEED"].flatMap { UInt64($0) } ?? 17

    private let lines = [
        #"{"id":"p","correct_cot":"One two. Six is 6.","wrong_cot":"One ten. Six is 7."}"#,
        #"{"id":1,"correct_cot":"","wrong_cot":"e\u0301 \ud83d\ude00\n2. a"}"#,
        #"{"correct_cot":"a\u0000b","wrong_cot":"a\u0000b"}"#,
        #"{"correct_ids":[1,2,3,2147483647,-1],"wrong_ids":[1,3,3]}"#, #"{"correct_ids":[],"wrong_ids":[]}"#,
    ]
    private let pieces = [
        "\\ud800", "\\udc00\\ud800", "\\u0000", "null", "[]", "{}", "-1", "4294967296", "1e400", "\"correct_ids\":",
        ",",
        "\"", ".", "\\n", "\u{E9}", "\u{301}",
    ]

    private func damaged(_ random: inout SplitMix) -> [UInt8] {
        var bytes = Array(lines.randomElement(using: &random)!.utf8)
        for _ in 0...Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 0...12, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
            default: bytes.insert(contentsOf: pieces.randomElement(using: &random)!.utf8, at: place)
            }
        }
        return bytes
    }

    @Test func aDamagedLineIsAlignedOrRefused() throws {
        var random = SplitMix(seed: seed)
        for round in 0..<rounds {
            let line = damaged(&random)
            let method = AlignmentMethod.all.randomElement(using: &random)!
            let note = "seed \(seed), round \(round): \(String(decoding: line, as: UTF8.self))"
            let json: JSON
            do {
                let pair = try AlignmentLine(JSON.parse(line), tokenizer: nil, method: method)
                json = pair.json
                #expect(pair.drawing.utf8.last == 0x0A, "\(note)")
            } catch {
                #expect(!"\(error)".isEmpty && (error is LineProblem || error is JSONSyntaxError), "\(note)")
                continue
            }
            // What was written says what was read.
            let answer = try JSON.parse(json.canonicalBytes)
            let source = try #require(JSON.parse(line).object)
            let segments = try #require(answer["segments"]?.array)
            #expect(answer["segment_count"]?.integer == segments.count, "\(note)")
            for side in ["correct", "wrong"] {
                let mask = try #require(answer["\(side)_mask"]?.array)
                if let ids = source["\(side)_ids"]?.array { #expect(ids.count == mask.count, "\(note)") }
                guard let text = source["\(side)_cot"]?.string, segments.first?[side] != nil else { continue }
                for segment in segments {
                    let span = (segment[side]?.array ?? []).compactMap { $0.integer }
                    try #require(span.count == 2, "\(note)")
                    #expect(span[0] <= span[1] && span[1] <= text.utf8.count, "\(note)")
                }
            }
            let distance = try #require(answer["distance"]?.integer)
            #expect((distance == 0) == segments.isEmpty, "\(note)")
        }
    }
}
