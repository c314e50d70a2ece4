import FoundationEssentials
import Glibc

/// Where an API key comes from. The key itself is read when the first request is sent, and goes nowhere else.
public enum KeySource: Sendable, Equatable {
    case none
    /// The name of an environment variable.
    case environment(String)
    /// The path of a file that holds the key alone; white space around it is dropped.
    case file(String)

    /// The longest file that is read.
    private static let limit = 16_384

    /// The key, or nil when there is none to send.
    ///
    /// - Throws: ``KeySourceError`` when the variable is not set, or the file cannot be read or holds no usable key. The
    ///   message never holds any part of a key.
    public func read() throws(KeySourceError) -> String? {
        switch self {
        case .none: return nil
        case .environment(let name):
            guard let value = getenv(name).map({ String(cString: $0) }) else {
                throw KeySourceError(problem: "the environment variable \(name) (key-env) is not set")
            }
            return try Self.key(value, from: "the environment variable \(name) (key-env)")
        case .file(let path):
            guard let file = fopen(path, "rb") else {
                throw KeySourceError(
                    problem: "the key file \(path) (key-file) cannot be opened: \(String(cString: strerror(errno)))")
            }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: Self.limit + 1)
            let count = fread(&bytes, 1, bytes.count, file)
            guard count <= Self.limit, let text = String(validating: bytes[..<count], as: UTF8.self) else {
                throw KeySourceError(problem: "the key file \(path) (key-file) is no short text file")
            }
            return try Self.key(text, from: "the key file \(path) (key-file)")
        }
    }

    /// A key has to fit on the line of an HTTP header.
    private static func key(_ text: String, from place: String) throws(KeySourceError) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var bytes = Array(text.utf8.drop(while: isBlank))
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        guard !bytes.isEmpty else { throw KeySourceError(problem: "\(place) is empty") }
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw KeySourceError(
                problem: "\(place) holds more than one word or characters that no key has; it should hold the key alone"
            )
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// An API key that cannot be had.
public struct KeySourceError: Error, Sendable, Equatable, CustomStringConvertible {
    public let problem: String

    public var description: String { problem }
}
