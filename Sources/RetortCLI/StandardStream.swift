import Glibc

/// Standard output and standard error, written line by line.
enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Writes a line as one piece, so that lines of several threads never mix. A reader that went away is no error.
    func line(_ text: String) { write(Array(text.utf8) + [UInt8(ascii: "\n")]) }

    func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = Glibc.write(rawValue, buffer.baseAddress! + offset, buffer.count - offset)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                offset += count
            }
        }
    }

    var isTerminal: Bool { isatty(rawValue) == 1 }
}
