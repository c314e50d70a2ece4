/// An absolute http or https URL without credentials: what may be shown, logged and compared.
///
/// Credentials written into a URL are taken out when it is parsed; nothing prints them again.
public struct WebAddress: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is no address. It never repeats the part that may hold a password.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        public let problem: String
        public var description: String { problem }
    }

    public enum Scheme: String, Sendable, Hashable {
        case http
        case https

        public var defaultPort: Int { self == .http ? 80 : 443 }
    }

    public let scheme: Scheme
    /// In lower case; an IPv6 address without its brackets.
    public let host: String
    public let port: Int
    /// Percent-encoded, starting with `/`.
    public var path: String
    /// Percent-encoded, without the question mark.
    public var query: String?

    public init(scheme: Scheme, host: String, port: Int? = nil, path: String = "/", query: String? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        self.path = path.hasPrefix("/") ? path : "/" + path
        self.query = query
    }

    /// Host and port as the `Host` header has them: the port only where it is not the scheme's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    /// Scheme, host and port.
    public var origin: String { "\(scheme.rawValue)://\(authority)" }

    /// Path and query, as a server is asked.
    var target: String { query.map { "\(path)?\($0)" } ?? path }

    /// The whole URL as it is requested.
    public var url: String { origin + target }

    /// Without the query, which may hold a signature.
    public var description: String { origin + path }

    /// The address one or several path components further down; each is percent-encoded.
    public func appending(_ components: String...) -> WebAddress {
        var address = self
        while address.path.utf8.last == UInt8(ascii: "/") { address.path.removeLast() }
        for component in components { address.path += "/" + PercentEncoding.encode(component) }
        return address
    }
}

/// Percent-encoding as RFC 3986 has it: all but the unreserved characters.
public enum PercentEncoding {
    /// - Parameter keepingSlash: leaves `/` as it is, for whole paths.
    public static func encode(_ text: String, keepingSlash: Bool = false) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "/") where keepingSlash: encoded += "/"
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }

    /// Nil for a malformed escape, or bytes that are not UTF-8.
    public static func decode(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
