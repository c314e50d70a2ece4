import FoundationEssentials

/// The base URL of an OpenAI-compatible service, such as `https://api.openai.com/v1`, in one normal form.
///
/// Scheme and host are in lower case; a default port, a trailing slash and a trailing `/chat/completions` are dropped.
/// So two spellings of one service are one service in keys, and share one budget.
public struct ChatEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// The normal form, without a query.
    public let base: String
    /// What stands behind `?`, such as `api-version=2024-10-21`; empty when there is none.
    public let query: String

    /// - Throws: ``ChatEndpointError`` for what is no http or https URL, for one with a user name or password, which
    ///   would end up in keys, and for one with a fragment.
    public init(_ text: String) throws(ChatEndpointError) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = parts.host?.lowercased(), !host.isEmpty
        else { throw ChatEndpointError(problem: "is no http or https URL; write one like http://127.0.0.1:8000/v1") }
        guard parts.user == nil, parts.password == nil else {
            throw ChatEndpointError(
                problem: "holds a user name or a password; name the API key with key-env or key-file instead")
        }
        guard parts.fragment == nil else {
            throw ChatEndpointError(problem: "has a fragment (#…), which means nothing")
        }
        var path = Substring(parts.percentEncodedPath)
        while path.hasSuffix("/") { path.removeLast() }
        if path.hasSuffix("/chat/completions") { path = path.dropLast("/chat/completions".count) }
        while path.hasSuffix("/") { path.removeLast() }
        let standard = scheme == "http" ? 80 : 443
        let port = parts.port.flatMap { $0 == standard ? nil : ":\($0)" } ?? ""
        base = "\(scheme)://\(host)\(port)\(path)"
        query = parts.percentEncodedQuery ?? ""
    }

    /// The URL of a resource below the base, such as `chat/completions`.
    public func url(_ resource: String) -> String { "\(base)/\(resource)" + (query.isEmpty ? "" : "?\(query)") }

    /// The form in keys and messages.
    public var description: String { query.isEmpty ? base : "\(base)?\(query)" }
}

/// A base URL that cannot be used. The URL is not repeated: it may hold a secret.
public struct ChatEndpointError: Error, Sendable, Equatable, CustomStringConvertible {
    public let problem: String

    public var description: String { "the URL \(problem)" }
}
