import Foundation
import SeededRandomness
import Testing

/// Inputs that fuzzing starts from: examples of each kind, and what once went wrong. Each is a file under Corpus/.
struct Corpus {
    /// By file name.
    let entries: [(name: String, bytes: [UInt8])]

    init(entries: [(name: String, bytes: [UInt8])]) { self.entries = entries }

    init(_ kind: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Corpus/\(kind)")
        entries = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            ($0, Array(try Data(contentsOf: folder.appendingPathComponent($0))))
        }
        try #require(!entries.isEmpty)
    }

    var texts: [String] { entries.map { String(decoding: $0.bytes, as: UTF8.self) } }
}

/// Damages inputs at random places.
struct Mutator {
    var random: SplitMix
    /// Pieces that mean something in inputs of this kind.
    let pieces: [String]

    init(seed: UInt64, pieces: [String]) {
        random = SplitMix(seed: seed)
        self.pieces = pieces
    }

    /// Changes, removes, doubles or inserts a few bytes, or puts a part of `other` in.
    mutating func mutation(of bytes: [UInt8], with other: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0...3, using: &random) {
            guard !bytes.isEmpty else { return other }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 0...40, using: &random))
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = UInt8.random(in: 0x20..<0x7F, using: &random)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4 where Int.random(in: 0..<4, using: &random) == 0: bytes.removeSubrange(place...)
            case 5 where !other.isEmpty:
                let start = Int.random(in: 0..<other.count, using: &random)
                bytes.replaceSubrange(place..<end, with: other[start..<min(other.count, start + end - place)])
            default: bytes.insert(contentsOf: pieces.randomElement(using: &random)!.utf8, at: place)
            }
        }
        return bytes
    }

    /// A damaged version of a random entry.
    mutating func mutation(of corpus: Corpus) -> [UInt8] {
        let (base, other) = (
            corpus.entries.randomElement(using: &random)!, corpus.entries.randomElement(using: &random)!
        )
        return mutation(of: base.bytes, with: other.bytes)
    }
}
