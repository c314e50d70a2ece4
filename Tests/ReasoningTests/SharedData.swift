import CanonicalJSON
import Glibc
import Testing

/// Public data next to the package (../shared/data), which the tests read where it is there.
enum SharedData {
    static let folder: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return parts.joined(separator: "/") + "/../shared"
    }()

    static func exists(_ path: String) -> Bool { access("\(folder)/\(path)", R_OK) == 0 }

    static func bytes(_ path: String) throws -> [UInt8] { try contents("\(folder)/\(path)") }

    /// The content of a file, decompressed when its name ends with .zst.
    static func contents(_ path: String) throws -> [UInt8] {
        let command = path.hasSuffix(".zst") ? "zstd -dcq" : "cat"
        let stream = try #require(popen("\(command) '\(path)'", "r"))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        try #require(pclose(stream) == 0, "\(command) \(path)")
        return bytes
    }

    static func records(_ path: String) throws -> [JSONObject] {
        try bytes(path).split(separator: 0x0A).map { try #require(JSON.parse($0).object) }
    }
}
