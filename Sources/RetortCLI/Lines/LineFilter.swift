import CanonicalJSON
import Dispatch
import Synchronization

/// Turns each line of standard input into a line of standard output, in order, on several threads.
///
/// What was read is answered before more is read, so a program that writes a line can wait for its answer. Memory is
/// bounded by a MiB of input or the longest line. The first line that cannot be turned ends the filter after the
/// answers of the lines before it.
struct LineFilter: Sendable {
    /// Threads to use.
    var jobs: Int

    /// - Parameter transform: from the bytes of a line to those of its answer, line ends left out.
    /// - Throws: ``BadLine`` naming the line that could not be turned and why; an error of reading or writing.
    func run(_ transform: @Sendable (ArraySlice<UInt8>) throws -> [UInt8]) throws {
        var reader = LineReader(descriptor: 0, name: BadLine.input)
        while let lines = try reader.next() {
            let first = reader.count - lines.count + 1
            var output: [UInt8] = []
            for (index, answer) in answers(lines, transform).enumerated() {
                switch answer {
                case .success(let bytes):
                    output += bytes
                    output.append(UInt8(ascii: "\n"))
                case .failure(let error):
                    try StandardStream.output.writeAll(output)
                    throw BadLine(number: first + index, error)
                }
            }
            try StandardStream.output.writeAll(output)
        }
    }

    /// The answers up to the first failure.
    private func answers(
        _ lines: [ArraySlice<UInt8>], _ transform: @Sendable (ArraySlice<UInt8>) throws -> [UInt8]
    ) -> [Result<[UInt8], any Error>] {
        let parts = min(jobs, lines.count)
        guard parts > 1 else { return Self.answers(lines[...], transform) }
        // More parts than threads, because lines differ in length.
        let pieces = min(lines.count, 8 * parts)
        let answers = Mutex([[Result<[UInt8], any Error>]](repeating: [], count: pieces))
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: parts) { _ in
            while true {
                let piece = next.add(1, ordering: .relaxed).oldValue
                guard piece < pieces else { return }
                let range = lines.count * piece / pieces..<lines.count * (piece + 1) / pieces
                let part = Self.answers(lines[range], transform)
                answers.withLock { $0[piece] = part }
            }
        }
        return answers.withLock { Array($0.joined()) }
    }

    private static func answers(
        _ lines: ArraySlice<ArraySlice<UInt8>>, _ transform: (ArraySlice<UInt8>) throws -> [UInt8]
    ) -> [Result<[UInt8], any Error>] {
        var answers: [Result<[UInt8], any Error>] = []
        for line in lines {
            answers.append(Result { try transform(line) })
            if case .failure = answers[answers.count - 1] { break }
        }
        return answers
    }
}

/// A line of standard input that is not what the command takes.
struct BadLine: Error, CustomStringConvertible {
    static let input = "standard input"

    let description: String

    init(number: Int, _ error: any Error) {
        let place =
            if let syntax = error as? JSONSyntaxError {
                "\(number):\(syntax.column): \(syntax.message)"
            } else {
                "\(number): \(error)"
            }
        description = "\(BadLine.input):\(place)"
    }
}

/// Why the JSON of a line will not do.
struct LineProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
