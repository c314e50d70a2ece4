import Glibc

/// Reads a file descriptor line by line, as many lines at a time as are there to read.
///
/// Memory is bounded by the longest line.
struct LineReader {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Bytes of a line. Above it is a mistake, or an attack on memory.
    static let longest = 1 << 26
    private static let chunk = 1 << 20

    private let descriptor: Int32
    private let name: String
    private var rest: [UInt8] = []
    private var isAtEnd = false
    /// Lines that were returned.
    private(set) var count = 0

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// The next lines without their line ends; nil at the end. The last line may lack its line end.
    ///
    /// - Throws: ``Failure`` when reading fails or a line is too long.
    mutating func next() throws -> [ArraySlice<UInt8>]? {
        while !isAtEnd {
            let old = rest.count
            try fill()
            let fresh = rest[old...]
            guard let end = isAtEnd ? rest.endIndex : fresh.lastIndex(of: UInt8(ascii: "\n")).map({ $0 + 1 }) else {
                continue
            }
            var lines = rest[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            // What follows the last line end is no line.
            if lines.last?.isEmpty ?? false { lines.removeLast() }
            rest.removeFirst(end)
            guard !lines.isEmpty else { continue }
            count += lines.count
            return lines
        }
        return nil
    }

    private mutating func fill() throws {
        guard rest.count <= LineReader.longest else {
            throw Failure(
                description: "\(name):\(count + 1): the line has more than \(LineReader.longest >> 20) MiB")
        }
        let old = rest.count
        rest.append(contentsOf: repeatElement(0, count: LineReader.chunk))
        var count = -1
        repeat {
            count = rest.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + old, LineReader.chunk) }
        } while count < 0 && errno == EINTR
        rest.removeLast(LineReader.chunk - max(0, count))
        guard count >= 0 else { throw Failure(description: "cannot read \(name): \(String(cString: strerror(errno)))") }
        isAtEnd = count == 0
    }
}
