import HTTPTransport

/// Where a tier is: `file:///folder`, `https://host/path` or `s3://bucket/prefix`.
public struct TierURL: Sendable, Hashable, CustomStringConvertible {
    public enum Location: Sendable, Hashable {
        /// An absolute path.
        case directory(String)
        /// A Bazel remote cache.
        case web(WebAddress)
        case bucket(name: String, prefix: String)
    }

    public let location: Location
    /// For buckets: `endpoint`, `region`, `style`.
    public let options: [String: String]

    /// What messages and settings call the tier. Options that name no secret are part of it.
    public var description: String {
        switch location {
        case .directory(let path): return "file://\(PercentEncoding.encode(path, keepingSlash: true))"
        case .web(let address): return address.description
        case .bucket(let name, let prefix):
            let path = prefix.isEmpty ? "" : "/\(PercentEncoding.encode(prefix, keepingSlash: true))"
            let query = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
            return "s3://\(name)\(path)\(query.isEmpty ? "" : "?\(query)")"
        }
    }

    /// - Throws: ``TierError`` with code `malformed`. A URL with a password in it is refused and not repeated.
    public init(_ text: String) throws {
        let scheme = text.firstIndex(of: ":").map { text[..<$0].lowercased() } ?? ""
        switch scheme {
        case "file":
            location = .directory(try TierURL.directory(text))
            options = [:]
        case "http", "https":
            location = .web(try TierURL.web(text))
            options = [:]
        case "s3": (location, options) = try TierURL.bucket(text)
        default:
            let problem =
                scheme.isEmpty ? "it has no scheme" : "its scheme \"\(scheme)\" is not one that Retort knows"
            throw TierURL.malformed(text.contains("@") ? "(not shown)" : text, problem)
        }
    }

    private static func malformed(_ shown: String, _ problem: String) -> TierError {
        TierError(
            .malformed, shown, problem,
            remedy: "write file:///folder, https://host/path or s3://bucket/prefix")
    }

    private static func directory(_ text: String) throws -> String {
        let rest = text.dropFirst("file:".count)
        guard rest.hasPrefix("///") || (rest.hasPrefix("/") && !rest.hasPrefix("//")) else {
            throw malformed(text, "a file URL has an absolute path and no host")
        }
        guard let path = PercentEncoding.decode(rest.hasPrefix("///") ? rest.dropFirst(2) : rest),
            !path.utf8.contains(0)
        else { throw malformed(text, "its path is not percent-encoded UTF-8") }
        guard !path.contains("?"), !path.contains("#") else {
            throw malformed(text, "a file URL has neither a query nor a fragment")
        }
        var trimmed = path
        while trimmed.utf8.count > 1, trimmed.utf8.last == UInt8(ascii: "/") { trimmed.removeLast() }
        return trimmed
    }

    private static func web(_ text: String) throws -> WebAddress {
        let parsed: (address: WebAddress, credential: Credential?)
        do {
            parsed = try WebAddress.parse(text)
        } catch {
            throw malformed(text.contains("@") ? "(not shown)" : text, error.problem)
        }
        guard parsed.credential == nil else { throw credentialInURL(parsed.address.description) }
        guard parsed.address.query == nil else {
            throw malformed(parsed.address.description, "a remote cache's URL has no query")
        }
        return parsed.address
    }

    /// A command line is seen by every user of the machine, and a pipeline file is committed.
    private static func credentialInURL(_ shown: String) -> TierError {
        TierError(
            .malformed, shown, "its URL contains a user name or a password",
            remedy: "put them into ~/.netrc, or give token-file or token-variable in the configuration file")
    }

    private static func bucket(_ text: String) throws -> (Location, [String: String]) {
        guard text.lowercased().hasPrefix("s3://") else { throw malformed(text, "an S3 URL is s3://bucket/prefix") }
        var rest = text.dropFirst("s3://".count)
        guard !rest.contains("@") else { throw credentialInURL("s3://(not shown)") }
        var options: [String: String] = [:]
        if let mark = rest.firstIndex(of: "?") {
            for pair in rest[rest.index(after: mark)...].split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let known = ["endpoint", "region", "style"]
                guard parts.count == 2, known.contains(String(parts[0])), let value = PercentEncoding.decode(parts[1])
                else {
                    throw malformed(text, "its query knows endpoint, region and style, not \"\(parts[0])\"")
                }
                options[String(parts[0])] = value
            }
            rest = rest[..<mark]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let name = String(rest[..<slash])
        let isAllowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard (3...63).contains(name.utf8.count), isAllowed else {
            throw malformed(text, "a bucket's name has 3 to 63 letters, digits, dots and hyphens")
        }
        guard var prefix = PercentEncoding.decode(rest[slash...].dropFirst()) else {
            throw malformed(text, "its prefix is not percent-encoded UTF-8")
        }
        while prefix.hasSuffix("/") { prefix.removeLast() }
        guard
            !prefix.split(separator: "/", omittingEmptySubsequences: false).contains(where: { $0 == ".." || $0 == "." })
        else { throw malformed(text, "its prefix has a part that is \".\" or \"..\"") }
        return (.bucket(name: name, prefix: prefix), options)
    }
}
