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

    /// Writes everything, or says why not: what a command was asked for must not be lost without a word.
    func writeAll(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = Glibc.write(rawValue, buffer.baseAddress! + offset, buffer.count - offset)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw WriteFailure(code: errno) }
                offset += count
            }
        }
    }

    struct WriteFailure: Error, CustomStringConvertible {
        let code: Int32

        var description: String { "cannot write the output: \(String(cString: strerror(code)))" }
    }

    var isTerminal: Bool { isatty(rawValue) == 1 }
}
