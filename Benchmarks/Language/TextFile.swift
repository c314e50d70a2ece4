import CanonicalJSON
import Glibc

/// Input of the benchmarks: JSON values, one a line.
enum TextFile {
    struct Unreadable: Error, CustomStringConvertible {
        let path: String

        var description: String { "cannot read \(path): \(String(cString: strerror(errno)))" }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        guard let stream = fopen(path, "r") else { throw Unreadable(path: path) }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&chunk, 1, chunk.count, stream), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    static func lines(_ path: String) throws -> [JSON] {
        try bytes(path).split(separator: UInt8(ascii: "\n")).map { try JSON.parse($0) }
    }

    static func strings(_ path: String) throws -> [String] { try lines(path).compactMap(\.string) }
}

/// How long runs of the same work took.
struct Timing {
    /// Seconds of each run, in order.
    let runs: [Double]

    init(repeat count: Int, _ work: () throws -> Void) rethrows {
        let clock = ContinuousClock()
        var runs: [Double] = []
        for _ in 0..<count {
            let time = try clock.measure(work)
            runs.append(Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18)
        }
        self.runs = runs
    }

    var median: Double { runs.sorted()[runs.count / 2] }
}
