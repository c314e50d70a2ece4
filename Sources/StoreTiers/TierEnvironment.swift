import ContentStore
import Glibc
import HTTPTransport

/// Where credentials come from: environment variables and files, never a command line. A value, so that tests can give
/// their own.
public struct TierEnvironment: Sendable {
    public var variables: [String: String]
    /// The contents of a small file; nil where there is none, or where it cannot be read.
    public var readFile: @Sendable (String) -> String?

    public init(variables: [String: String], readFile: @escaping @Sendable (String) -> String?) {
        self.variables = variables
        self.readFile = readFile
    }

    /// This process's.
    public static var process: TierEnvironment {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return TierEnvironment(variables: variables) { path in
            ((try? FileSystem.contents(of: path, limit: 1 << 20)) ?? nil).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// A variable that is set to something.
    subscript(name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// `~/` at the start of a path stands for the user's folder.
    public func path(_ text: String) -> String {
        guard text.hasPrefix("~/"), let home = self["HOME"] else { return text }
        return "\(home)/\(text.dropFirst(2))"
    }

    /// What a web tier is to be shown: a token as configured, else what `.netrc` has for the host.
    ///
    /// - Throws: ``TierError`` where a token is configured and not there.
    func credential(for settings: TierSettings, host: String) throws -> Credential? {
        func missing(_ problem: String, _ remedy: String) -> TierError {
            TierError(.refused, settings.url.description, problem, remedy: remedy)
        }
        if let name = settings.tokenVariable {
            guard let token = self[name] else {
                throw missing(
                    "its token should be in the environment variable \(name), which is not set", "set \(name)")
            }
            return .bearer(token: token)
        }
        if let file = settings.tokenFile {
            guard let line = readFile(path(file))?.split(whereSeparator: \.isNewline).first, !line.isEmpty else {
                throw missing("its token should be in the file \(file), which has none", "write it there, on one line")
            }
            return .bearer(token: String(line))
        }
        return readFile(self["NETRC"] ?? path("~/.netrc")).flatMap { Netrc($0).credential(for: host) }
    }
}
