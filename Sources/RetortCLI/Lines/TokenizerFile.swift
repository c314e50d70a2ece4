import CanonicalJSON
import Glibc
import Stages
import Tokenization

/// A tokenizer as the command line names it: a tokenizer.json, or the directory that holds one.
struct TokenizerFile {
    let tokenizer: Tokenizer
    let json: JSON
    /// What tokenizer_config.json beside it says, if there is one.
    let configuration: TokenizerConfiguration?

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Bytes of a file; the largest published ones have a twentieth of it.
    private static let largest = 1 << 29

    /// - Throws: ``Failure`` naming the file and what is wrong with it.
    init(_ path: String) throws {
        var status = stat()
        let isDirectory = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        let file = isDirectory ? "\(path)/tokenizer.json" : path
        let folder =
            isDirectory
            ? path : path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        json = try TokenizerFile.json(file)
        do throws(TokenizerError) {
            tokenizer = try Tokenizer(json)
        } catch {
            throw Failure(
                description: error.path.isEmpty
                    ? "\(file): \(error.problem)" : "\(file): \(error.path): \(error.problem)")
        }
        let beside =
            folder.isEmpty && !path.hasPrefix("/") ? "tokenizer_config.json" : "\(folder)/tokenizer_config.json"
        configuration =
            access(beside, F_OK) == 0 ? try TokenizerConfiguration(TokenizerFile.json(beside)) : nil
    }

    private static func json(_ path: String) throws -> JSON {
        var status = stat()
        if stat(path, &status) == 0, status.st_size > largest {
            throw Failure(description: "\(path): has more than \(largest >> 20) MiB, too much for a tokenizer")
        }
        do {
            return try JSON.parse(FileBytes.read(path))
        } catch let error as JSONSyntaxError {
            throw Failure(description: "\(path):\(error.line):\(error.column): \(error.message)")
        }
    }
}
