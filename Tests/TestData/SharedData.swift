import CanonicalJSON
import Glibc

/// Public data next to the package (../shared), which the tests read where it is there.
package enum SharedData {
    package static let folder: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return parts.joined(separator: "/") + "/../shared"
    }()

    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String
    }

    package static func exists(_ path: String) -> Bool { access("\(folder)/\(path)", R_OK) == 0 }

    package static func bytes(_ path: String) throws -> [UInt8] { try contents("\(folder)/\(path)") }

    /// The content of a file, decompressed when its name ends with .zst.
    package static func contents(_ path: String) throws -> [UInt8] {
        let command = path.hasSuffix(".zst") ? "zstd -dcq" : "cat"
        guard let stream = popen("\(command) '\(path)'", "r") else { throw Unreadable(description: path) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        guard pclose(stream) == 0 else { throw Unreadable(description: "\(command) \(path)") }
        return bytes
    }

    /// The records of a JSON Lines file.
    package static func records(_ path: String) throws -> [JSONObject] {
        try bytes(path).split(separator: 0x0A).map { line in
            guard let record = try JSON.parse(line).object else { throw Unreadable(description: "\(path): no record") }
            return record
        }
    }
}
