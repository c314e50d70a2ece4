import CanonicalJSON
import ContentStore
import Foundation
import HTTPTransport
import TestServers
import Testing

@testable import StoreTiers

/// The examples in AWS's description of Signature Version 4 for S3.
@Suite struct SignatureV4Tests {
    private let signer = SignatureV4(
        .init(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")
    /// 2013-05-24T00:00:00Z
    private let time = 1_369_353_600
    private let empty = Digest(of: [UInt8]()).hex

    private func signature(_ request: WebRequest, payload: String) -> String? {
        let signed = signer.sign(request, payload: payload, time: time)
        return signed.headers.last?.value.split(separator: "=").last.map(String.init)
    }

    private func address(_ path: String, query: String? = nil) -> WebAddress {
        WebAddress(scheme: .https, host: "examplebucket.s3.amazonaws.com", path: path, query: query)
    }

    @Test func anObjectIsReadInPart() {
        let request = WebRequest(.get, address("/test.txt"), headers: [("Range", "bytes=0-9")])
        #expect(
            signature(request, payload: empty) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func anObjectIsWritten() {
        let request = WebRequest(
            .put, address("/" + PercentEncoding.encode("test$file.text")),
            headers: [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ])
        let payload = Digest(of: "Welcome to Amazon S3.").hex
        #expect(
            signature(request, payload: payload) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func queriesAreSortedAndEmptyValuesWritten() {
        #expect(
            signature(WebRequest(.get, address("/", query: "lifecycle")), payload: empty)
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        #expect(
            signature(WebRequest(.get, address("/", query: "prefix=J&max-keys=2")), payload: empty)
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func datesAreWrittenAsTheSignatureWantsThem() {
        #expect(SignatureV4.timestamp(time) == "20130524T000000Z")
        #expect(SignatureV4.timestamp(1_709_208_061) == "20240229T120101Z")
    }
}

@Suite struct AWSConfigurationTests {
    private let files = [
        "/home/ann/.aws/credentials": """
        [default]
        aws_access_key_id = DEFAULT
        aws_secret_access_key = one
        # a comment
        [team]
        aws_access_key_id=TEAM
        aws_secret_access_key=two=three
        aws_session_token=token
        """,
        "/home/ann/.aws/config": """
        [default]
        region = eu-west-1
        [profile team]
        region = eu-central-1
        endpoint_url = https://s3.example
        s3 =
            addressing_style = path
        """,
    ]

    private func configuration(_ variables: [String: String]) -> AWSConfiguration {
        AWSConfiguration(
            TierEnvironment(variables: variables.merging(["HOME": "/home/ann"]) { first, _ in first }) { [files] in
                files[$0]
            })
    }

    @Test func theEnvironmentComesBeforeTheFiles() {
        let given = configuration([
            "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_REGION": "r",
        ])
        #expect(given.credentials == .init(accessKey: "ENV", secretKey: "s", sessionToken: "t"))
        #expect(given.region == "r")
        let fromFiles = configuration([:])
        #expect(fromFiles.credentials == .init(accessKey: "DEFAULT", secretKey: "one"))
        #expect(fromFiles.region == "eu-west-1")
    }

    @Test func aProfileIsFoundInBothFiles() {
        let team = configuration(["AWS_PROFILE": "team"])
        #expect(team.credentials == .init(accessKey: "TEAM", secretKey: "two=three", sessionToken: "token"))
        #expect(team.region == "eu-central-1")
        #expect(team.endpoint == "https://s3.example")
        #expect(configuration(["AWS_PROFILE": "nobody"]).credentials == nil)
    }

    @Test func netrcIsReadAsOthersReadIt() {
        let netrc = Netrc(
            """
            machine a.example login ann password p1
            macdef init
            machine b.example login no

            machine B.example
              login bob
              password p2 # mine
            default login any password p3
            """)
        #expect(netrc.credential(for: "a.example") == .basic(user: "ann", password: "p1"))
        #expect(netrc.credential(for: "b.example") == .basic(user: "bob", password: "p2"))
        #expect(netrc.credential(for: "c.example") == .basic(user: "any", password: "p3"))
        #expect(Netrc("machine").credential(for: "x") == nil)
    }
}

/// What S3's answers mean.
@Suite struct S3FailureTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let environment = TierEnvironment(variables: ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"]) {
        _ in nil
    }

    @Test(arguments: [
        (404, "NoSuchBucket", "the bucket team-bucket does not exist"),
        (403, "InvalidAccessKeyId", "the server does not know the access key"),
        (403, "SignatureDoesNotMatch", "the secret key does not fit the access key"),
        (
            403, "RequestTimeTooSkewed",
            "the server refuses the request because this machine's clock differs from its own"
        ),
        (400, "ExpiredToken", "the session token has expired or is invalid"),
        (403, "AccessDenied", "access is denied"),
        (301, "PermanentRedirect", "the bucket lies in another region than us-east-1"),
    ])
    func everyRefusalIsExplained(_ status: Int, _ code: String, _ problem: String) throws {
        let server = try HTTPTestServer { _ in
            .init(status, body: Array("<?xml version=\"1.0\"?><Error><Code>\(code)</Code></Error>".utf8))
        }
        let url = try TierURL("s3://team-bucket/x?endpoint=\(server.url)")
        let tier = try Tier.open(
            TierSettings(url: url), before: LocalStore(at: folder.file("a")), environment: Self.environment)
        let collection = try #require(SegmentCollection("x"))
        let error = #expect(throws: TierError.self) { try tier.segments(of: collection) }
        #expect(error?.problem == problem)
        #expect(error?.tier == url.description)
        #expect(error?.remedy.isEmpty == false)
    }

    @Test func missingCredentialsAreSaid() throws {
        let store = try LocalStore(at: folder.file("a"))
        let settings = TierSettings(url: try TierURL("s3://team-bucket"))
        #expect(
            throws: TierError(
                .refused, "s3://team-bucket", "there are no AWS credentials",
                remedy: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE and ~/.aws/credentials")
        ) { try Tier.open(settings, before: store, environment: .none) }
    }

    @Test func addressesFollowTheStyle() throws {
        func address(_ url: String) throws -> String {
            let storage = try S3Storage(
                bucket: "team-bucket", prefix: "a b", settings: TierSettings(url: try TierURL(url)),
                client: WebClient(), environment: Self.environment)
            return storage.address(.format).url
        }
        #expect(
            try address("s3://team-bucket/x?region=eu-west-1")
                == "https://team-bucket.s3.eu-west-1.amazonaws.com/a%20b/retort-tier.json")
        #expect(
            try address("s3://team-bucket/x?endpoint=http://h:9000")
                == "http://h:9000/team-bucket/a%20b/retort-tier.json")
        #expect(
            try address("s3://team-bucket/x?endpoint=http://h:9000&style=virtual-host")
                == "http://team-bucket.h:9000/a%20b/retort-tier.json")
    }
}
