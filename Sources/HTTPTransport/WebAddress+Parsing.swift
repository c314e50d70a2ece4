extension WebAddress {
    /// Takes a URL apart.
    ///
    /// - Returns: The address, and the credential that stood before its `@`, if one did.
    public static func parse(_ text: String) throws(Malformed) -> (address: WebAddress, credential: Credential?) {
        guard let colon = text.range(of: "://") else {
            throw Malformed(problem: "it has no scheme; a URL begins with https:// or http://")
        }
        let schemeText = text[..<colon.lowerBound].lowercased()
        guard let scheme = Scheme(rawValue: schemeText) else {
            throw Malformed(problem: "its scheme is \"\(schemeText)\", not http or https")
        }
        guard !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw Malformed(problem: "it contains a space or a control character; write %20 for a space")
        }
        let rest = text[colon.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let (credential, authority) = try credential(of: rest[..<end])
        let (host, port) = try hostAndPort(authority)
        var tail = rest[end...]
        guard !tail.contains("#") else { throw Malformed(problem: "it has a fragment (#), which a server never sees") }
        var query: String?
        if let mark = tail.firstIndex(of: "?") {
            query = String(tail[tail.index(after: mark)...])
            tail = tail[..<mark]
        }
        let path = tail.isEmpty ? "/" : String(tail)
        guard !path.split(separator: "/").contains(where: { $0 == ".." || $0 == "." }) else {
            throw Malformed(problem: "its path has a part that is \".\" or \"..\"")
        }
        return (WebAddress(scheme: scheme, host: host, port: port, path: path, query: query), credential)
    }

    private static func credential(of authority: Substring) throws(Malformed) -> (Credential?, Substring) {
        guard let at = authority.lastIndex(of: "@") else { return (nil, authority) }
        let given = authority[..<at]
        let colon = given.firstIndex(of: ":") ?? given.endIndex
        guard let user = PercentEncoding.decode(given[..<colon]),
            let password = PercentEncoding.decode(given[colon...].dropFirst())
        else { throw Malformed(problem: "the user name or password in it is not percent-encoded UTF-8") }
        return (.basic(user: user, password: password), authority[authority.index(after: at)...])
    }

    private static func hostAndPort(_ authority: Substring) throws(Malformed) -> (String, Int?) {
        var name = authority
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw Malformed(problem: "a bracket is not closed") }
            name = authority[authority.index(after: authority.startIndex)..<close]
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw Malformed(problem: "something other than a port follows the bracket")
            }
            if !after.isEmpty { portText = after.dropFirst() }
        } else if let colon = authority.firstIndex(of: ":") {
            name = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        guard !name.isEmpty else { throw Malformed(problem: "it names no host") }
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: ":"), UInt8(ascii: "%"):
                true
            default: false
            }
        }
        guard allowed else { throw Malformed(problem: "its host has a character that no host name has") }
        guard let portText, !portText.isEmpty else { return (name.lowercased(), nil) }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(portText),
            (1...65535).contains(port)
        else { throw Malformed(problem: "its port is not a number from 1 to 65535") }
        return (name.lowercased(), port)
    }
}

extension StringProtocol {
    /// Where `text` first stands.
    func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
