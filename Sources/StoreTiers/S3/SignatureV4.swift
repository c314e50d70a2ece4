import ContentStore
import Crypto
import Glibc
import HTTPTransport

/// AWS Signature Version 4 in the `Authorization` header, for S3.
///
/// Source: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
struct SignatureV4: Sendable {
    struct Credentials: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
        var accessKey: String
        var secretKey: String
        var sessionToken: String?

        var description: String { "AWS credentials (not shown)" }
        var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
    }

    let credentials: Credentials
    let region: String
    let service: String

    init(_ credentials: Credentials, region: String, service: String = "s3") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// The request with date, payload digest and signature.
    ///
    /// - Parameters:
    ///   - payload: the SHA-256 of the body, in hexadecimal.
    ///   - time: seconds since 1970.
    func sign(_ request: WebRequest, payload: String, time: Int) -> WebRequest {
        var request = request
        let stamp = SignatureV4.timestamp(time)
        let day = String(stamp.prefix(8))
        request.headers.append(("x-amz-content-sha256", payload))
        request.headers.append(("x-amz-date", stamp))
        if let token = credentials.sessionToken { request.headers.append(("x-amz-security-token", token)) }

        let (canonical, signed) = canonicalRequest(request, payload: payload)
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(Digest(of: canonical).hex)"
        var key = Array("AWS4\(credentials.secretKey)".utf8)
        for part in [day, region, service, "aws4_request"] { key = SignatureV4.hmac(key, part) }
        let signature = SignatureV4.hmac(key, text).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0\(digits)" : digits
        }.joined()
        request.headers.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(signed),"
                    + "Signature=\(signature)"
            ))
        return request
    }

    /// The request in the form that is signed, and the names of the signed headers: all that the request has.
    func canonicalRequest(_ request: WebRequest, payload: String) -> (text: String, signedHeaders: String) {
        var headers = request.headers.map { (name: $0.name.lowercased(), value: SignatureV4.collapsed($0.value)) }
        headers.append((name: "host", value: request.address.authority))
        headers.sort { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let query = (request.address.query ?? "").split(separator: "&").map { pair in
            pair.contains("=") ? String(pair) : "\(pair)="
        }
        let lines =
            [request.method.rawValue, request.address.path, query.sorted().joined(separator: "&")]
            + headers.map { "\($0.name):\($0.value)" } + ["", names, payload]
        return (lines.joined(separator: "\n"), names)
    }

    private static func collapsed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    private static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    /// `20130524T000000Z`
    static func timestamp(_ time: Int) -> String {
        var seconds = time_t(time)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let date = "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))Z"
    }
}
