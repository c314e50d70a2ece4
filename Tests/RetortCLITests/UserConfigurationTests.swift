import CanonicalJSON
import Foundation
import Synchronization
import TestServers
import Testing

/// Tiers that a user configures once: `$XDG_CONFIG_HOME/retort/config.yaml`.
@Suite(.serialized) struct UserConfigurationTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    private static let run = [
        "run", "pipelines/quickstart.yaml", "--target", "questions", "--set", "questions=60", "--format", "json",
    ]

    private func retort(_ arguments: [String], _ variables: [String] = []) throws -> Program.Outcome {
        let folder = place.folder.path
        let environment = ["XDG_CONFIG_HOME=\(folder)/config", "NETRC=\(folder)/netrc"] + variables
        let program = Program.folder.appendingPathComponent("retort").path
        return try place.program("/usr/bin/env", environment + [program] + arguments)
    }

    private func configure(_ text: String) throws { try place.write(text, to: "config/retort/config.yaml") }

    private func executed(_ outcome: Program.Outcome) throws -> Int {
        try (outcome.summary["stages"]?.array ?? []).reduce(0) { $0 + ($1["executed"]?.integer ?? 0) }
    }

    /// A remote cache that wants a token.
    private func cache(token: String) throws -> HTTPTestServer {
        let objects = Objects()
        return try HTTPTestServer { request in
            guard request[header: "Authorization"] == "Bearer \(token)" else { return .init(401) }
            if request.method == "PUT" {
                objects.all.withLock { $0[request.target] = request.body }
                return .init(201)
            }
            return objects.all.withLock { $0[request.target] }.map { .init(200, body: $0) } ?? .init(404)
        }
    }

    private final class Objects: Sendable {
        let all = Mutex<[String: [UInt8]]>([:])
    }

    @Test func aTierIsUsedWithTheTokenInAVariable() throws {
        let server = try cache(token: "sesame")
        try configure("tiers:\n  - url: \(server.url)/team\n    token-variable: TEAM_TOKEN\n")
        let first = try retort(Self.run + ["--store", "mine", "--require-push"], ["TEAM_TOKEN=sesame"])
        #expect(first.status == 0, "\(first.errors) \(first.output)")
        #expect(try executed(first) > 0)
        let second = try retort(Self.run + ["--store", "theirs"], ["TEAM_TOKEN=sesame"])
        #expect(try executed(second) == 0, "\(second.output)")
        let without = try retort(Self.run + ["--store", "third", "--no-tiers"])
        #expect(try executed(without) > 0)

        let wrong = try retort(Self.run + ["--store", "fourth"], ["TEAM_TOKEN=hush"])
        #expect(wrong.status == 0, "a tier that refuses stops no run")
        #expect(wrong.output.contains("the tier \(server.url)/team is not used any more in this run: "))
        #expect(wrong.output.contains("the server answered 401"))
        #expect(!(wrong.output + wrong.errors).contains("hush"))
        let unset = try retort(Self.run + ["--store", "fifth"])
        #expect(unset.status != 0)
        #expect(unset.errors.contains("its token should be in the environment variable TEAM_TOKEN, which is not set"))
    }

    @Test func aTokenFileLiesBesideTheConfiguration() throws {
        let server = try cache(token: "sesame")
        try configure("tiers:\n  - { url: \"\(server.url)\", token-file: token }\n")
        try place.write("sesame\n", to: "config/retort/token")
        let first = try retort(Self.run + ["--store", "mine", "--require-push"])
        #expect(first.status == 0, "\(first.errors) \(first.output)")
        #expect(try executed(retort(Self.run + ["--store", "theirs"])) == 0)
    }

    @Test(.enabled(if: NginxServer.isInstalled, "nginx is not installed: scripts/install-services"))
    func anAuthorityOfOnesOwnAndAPasswordInNetrc() throws {
        let server = try NginxServer()
        try place.write(
            "machine 127.0.0.1 login \(NginxServer.user) password \(NginxServer.password)\n", to: "netrc")
        try configure("tiers: [\(server.tlsURL)]\n")
        let untrusted = try retort(Self.run + ["--store", "mine"])
        #expect(untrusted.status == 0)
        #expect(untrusted.output.contains("no trusted TLS connection could be made"), "\(untrusted.output)")

        try FileManager.default.copyItem(
            atPath: server.certificate, toPath: "\(place.folder.path)/config/retort/team.pem")
        try configure("tiers:\n  - { url: \"\(server.tlsURL)\", certificate-authority: team.pem }\n")
        let first = try retort(Self.run + ["--store", "other", "--require-push"])
        #expect(first.status == 0, "\(first.errors) \(first.output)")
        #expect(try executed(retort(Self.run + ["--store", "theirs"])) == 0)
    }

    @Test func aReadOnlyTierOfTheConfigurationIsNotPushedTo() throws {
        try place.write("", to: "team/.keep")
        let url = "file://\(place.folder.path)/team"
        try configure("tiers:\n  - { url: \"\(url)\", access: read-only }\n")
        #expect(try retort(Self.run + ["--store", "mine", "--require-push"]).status == 0)
        let pushed = try retort(
            ["store", "push", "pipelines/quickstart.yaml", "--set", "questions=60", "--store", "mine"])
        #expect(pushed.status == 1)
        #expect(
            pushed.errors.contains("error: the tier \(url): it is configured as read-only; set its access to"),
            "\(pushed.errors)")
        // The command line counts for more.
        let allowed = try retort(
            ["store", "push", "pipelines/quickstart.yaml", "--set", "questions=60", "--store", "mine", "--tier", url])
        #expect(allowed.status == 0, "\(allowed.errors)")
    }

    @Test func mistakesInTheConfigurationHaveTheirPlace() throws {
        try configure("tiers:\n  - { url: \"ftp://x\", acess: read-only }\n")
        let outcome = try retort(Self.run)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("config/retort/config.yaml:2:"), "\(outcome.errors)")
        #expect(outcome.errors.contains("\"acess\"") && outcome.errors.contains("access"), "\(outcome.errors)")
    }

    @Test(arguments: [
        ("http://no-such-host.invalid/team", "no-such-host.invalid"),
        ("s3://no-such-bucket-name?endpoint=http://127.0.0.1:9", "nothing listens at 127.0.0.1:9"),
    ])
    func aTierThatCannotBeReachedIsNamed(_ url: String, _ problem: String) throws {
        let outcome = try retort(
            ["store", "verify", "--tier", url, "--store", "mine"],
            ["AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=secret"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("error: the tier \(url): "), "\(outcome.errors)")
        #expect(outcome.errors.contains(problem), "\(outcome.errors)")
        #expect(!outcome.errors.contains("secret"))
    }

    @Test func aTierOfAnotherFormatIsNamed() throws {
        try place.write("{\"format\":\"retort-tier/2\"}", to: "team/retort-tier.json")
        let url = "file://\(place.folder.path)/team"
        let outcome = try retort(["store", "verify", "--tier", url, "--store", "mine"])
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.hasPrefix(
                """
                error: the tier \(url): it was made by a newer Retort (tier format 2; this program knows 1); update \
                Retort, or use another tier
                """), "\(outcome.errors)")
    }
}
