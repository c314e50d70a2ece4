import HTTPTransport

/// The user's `.netrc`: user names and passwords by host, as curl and git read them.
struct Netrc: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        /// Nil for the default entry.
        var host: String?
        var login = ""
        var password = ""
    }

    private(set) var entries: [Entry] = []

    /// Words that are not understood are passed over, as others do; macros end at an empty line.
    init(_ text: String) {
        var tokens: [Substring] = []
        var isMacro = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if isMacro {
                isMacro = !line.allSatisfy(\.isWhitespace)
                continue
            }
            for word in line.split(whereSeparator: \.isWhitespace) {
                if word.hasPrefix("#") { break }
                if word == "macdef" {
                    isMacro = true
                    break
                }
                tokens.append(word)
            }
        }
        var position = 0
        while position < tokens.count {
            defer { position += 1 }
            switch tokens[position] {
            case "default": entries.append(Entry(host: nil))
            case "machine" where position + 1 < tokens.count:
                position += 1
                entries.append(Entry(host: tokens[position].lowercased()))
            case "login" where position + 1 < tokens.count && !entries.isEmpty:
                position += 1
                entries[entries.count - 1].login = String(tokens[position])
            case "password" where position + 1 < tokens.count && !entries.isEmpty:
                position += 1
                entries[entries.count - 1].password = String(tokens[position])
            default: break
            }
        }
    }

    func credential(for host: String) -> Credential? {
        guard let entry = entries.first(where: { $0.host == nil || $0.host == host }) else { return nil }
        return .basic(user: entry.login, password: entry.password)
    }
}
