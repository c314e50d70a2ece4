/// Why a tokenizer file cannot be used.
public struct TokenizerError: Error, Equatable, CustomStringConvertible {
    /// Where in the file, such as `pre_tokenizer.pretokenizers[1]`; empty for the file as a whole.
    public let path: String
    public let problem: String

    /// The file's name.
    public let file: String

    public init(file: String = "tokenizer.json", path: String, problem: String) {
        self.file = file
        self.path = path
        self.problem = problem.shortened
    }

    public var description: String {
        path.isEmpty ? "\(file): \(problem)" : "\(file): \(path): \(problem)"
    }

    /// A component this library does not have.
    static func unsupported(_ kind: String, _ name: String, at path: String) -> TokenizerError {
        TokenizerError(path: path, problem: "the \(kind) \"\(name)\" is not supported")
    }
}

extension String {
    /// The beginning and the end of a message into which a file has put more than anyone reads.
    var shortened: String {
        guard utf8.count > 1000 else { return self }
        return "\(String(unicodeScalars.prefix(300)))…\(String(unicodeScalars.suffix(100)))"
    }
}
