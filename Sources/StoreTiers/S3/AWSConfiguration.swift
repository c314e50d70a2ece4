import HTTPTransport

/// Credentials, region and endpoint from where the AWS tools look: environment variables, then the shared files.
struct AWSConfiguration: Sendable, Equatable {
    var credentials: SignatureV4.Credentials?
    var region: String?
    var endpoint: String?

    init(_ environment: TierEnvironment) {
        let profile = environment["AWS_PROFILE"] ?? environment["AWS_DEFAULT_PROFILE"] ?? "default"
        let secrets = AWSConfiguration.section(
            profile,
            in: environment.readFile(
                environment.path(environment["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials")))
        let text = environment.readFile(environment.path(environment["AWS_CONFIG_FILE"] ?? "~/.aws/config"))
        let settings = AWSConfiguration.section(profile == "default" ? "default" : "profile \(profile)", in: text)

        if let key = environment["AWS_ACCESS_KEY_ID"], let secret = environment["AWS_SECRET_ACCESS_KEY"] {
            credentials = .init(accessKey: key, secretKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"])
        } else {
            for section in [secrets, settings] where credentials == nil {
                guard let key = section["aws_access_key_id"], let secret = section["aws_secret_access_key"] else {
                    continue
                }
                credentials = .init(accessKey: key, secretKey: secret, sessionToken: section["aws_session_token"])
            }
        }
        region =
            environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? settings["region"] ?? secrets["region"]
        endpoint = environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"] ?? settings["endpoint_url"]
    }

    /// The settings of one section of an INI file.
    static func section(_ name: String, in text: String?) -> [String: String] {
        var settings: [String: String] = [:]
        var isInside = false
        for raw in (text ?? "").split(whereSeparator: \.isNewline) {
            let line = raw.trimming
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                isInside = line.dropFirst().dropLast().trimming == name
                continue
            }
            // Indented lines belong to a nested section, such as s3.
            guard isInside, raw.first?.isWhitespace == false, let equals = line.firstIndex(of: "=") else { continue }
            settings[line[..<equals].trimming.lowercased()] = String(line[line.index(after: equals)...].trimming)
        }
        return settings
    }
}

extension Substring {
    fileprivate var trimming: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
