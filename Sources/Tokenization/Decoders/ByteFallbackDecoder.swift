/// The tokens that stand for single bytes in vocabularies over characters.
enum ByteFallback {
    /// `<0x0A>` and the like.
    static func token(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "<0x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])>"
    }

    /// The byte of such a token, in either case of its digits.
    static func byte(_ token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">"),
            token[3] != UInt8(ascii: "-")
        else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }
}

/// Joins neighbouring byte tokens to characters; a run that is not valid UTF-8 becomes one U+FFFD for each byte.
struct ByteFallbackDecoder: Decoder {
    func decode(_ pieces: [[UInt8]]) -> [[UInt8]] {
        var output: [[UInt8]] = []
        var run: [UInt8] = []
        func endRun() {
            guard !run.isEmpty else { return }
            if String(validating: run, as: UTF8.self) != nil {
                output.append(run)
            } else {
                output.append(contentsOf: run.map { _ in Array("\u{FFFD}".utf8) })
            }
            run.removeAll(keepingCapacity: true)
        }
        for piece in pieces {
            if let byte = ByteFallback.byte(piece) {
                run.append(byte)
            } else {
                endRun()
                output.append(piece)
            }
        }
        endRun()
        return output
    }
}
