import ContentStore
import Foundation
import TestServers
import Testing

@testable import StoreTiers

/// A remote cache that Bazel uses as well: neither disturbs the other, and what both need is there for both.
///
/// RETORT_BAZEL names a bazel program (Debian: bazel-bootstrap); it is too large to install for a test.
@Suite(.enabled(if: NginxServer.isInstalled, "nginx is not installed: scripts/install-services"), .serialized)
struct BazelTests {
    private static let program = ProcessInfo.processInfo.environment["RETORT_BAZEL"]
    private let folder: TemporaryFolder
    private let server: NginxServer
    /// What a rule of Bazel's copies, and what Retort has as a blob.
    private let shared = Array("a line that both have\n".utf8)

    init() throws {
        folder = try TemporaryFolder()
        server = try NginxServer()
    }

    /// A remote cache of compressed blobs, and one of the dialect alone.
    private var places: [(settings: TierSettings, files: String, environment: TierEnvironment, url: String)] {
        get throws {
            let (user, password) = (NginxServer.user, NginxServer.password)
            let netrc = TierEnvironment(variables: ["NETRC": "netrc"]) { _ in
                "machine 127.0.0.1 login \(user) password \(password)\n"
            }
            let authorized = server.protectedURL.replacing("http://", with: "http://\(user):\(password)@")
            return [
                (TierSettings(url: try TierURL("\(server.openURL)/team")), "team", .none, "\(server.openURL)/team"),
                (TierSettings(url: try TierURL(server.protectedURL)), "", netrc, authorized),
            ]
        }
    }

    /// One machine pushes, and another with an empty store has everything.
    private func share(_ place: (settings: TierSettings, files: String, environment: TierEnvironment, url: String))
        async throws
    {
        let names = (UUID().uuidString, UUID().uuidString)
        let first = try Machine(folder.file(names.0), place.settings, environment: place.environment)
        let contents = [shared, noise(10_000, seed: 3)]
        let key = try first.publish("work", contents)
        #expect(await first.finishUploads() == [], "\(first.warnings.all)")
        let second = try Machine(folder.file(names.1), place.settings, environment: place.environment)
        #expect(try second.store.lookup(key).outputs != nil, "\(second.warnings.all)")
        for content in contents {
            #expect(try second.store.read(Digest(of: content), limit: content.count) == content)
        }
        let tier = try Tier.open(place.settings, before: first.store, environment: place.environment)
        #expect(try await TierCheck(tier, first.store).audit().isClean)
        #expect(first.warnings.all + second.warnings.all == [])
    }

    @Test func blobsThatAnotherClientWroteBeforeAreNoHindrance() async throws {
        for place in try places {
            let cas = "\(server.objects)/\(place.files)/cas"
            try FileManager.default.createDirectory(atPath: cas, withIntermediateDirectories: true)
            let theirs = "\(cas)/\(Digest(of: shared).hex)"
            try Data(shared).write(to: URL(fileURLWithPath: theirs))
            try await share(place)
            #expect(try Data(contentsOf: URL(fileURLWithPath: theirs)) == Data(shared))
        }
    }

    @Test(.enabled(if: program != nil, "RETORT_BAZEL names no bazel program"))
    func bazelHitsItsCacheBesideOurs() async throws {
        let workspace = try folder.makeFolder("workspace")
        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: "\(workspace)/\(name)", atomically: true, encoding: .utf8)
        }
        try write("WORKSPACE", "")
        try write("text", String(decoding: shared, as: UTF8.self))
        try write(
            "BUILD", #"genrule(name = "copy", srcs = ["text"], outs = ["out"], cmd = "cat $(SRCS) > $@")"#)
        for place in try places {
            #expect(try build(workspace, place.url).contains("1 local"))
            let blob = "\(server.objects)/\(place.files)/cas/\(Digest(of: shared).hex)"
            // Where blobs lie under /cas, Bazel is to hit what Retort has pushed.
            if place.url.contains(server.protectedURL.dropFirst("http://".count)) {
                try FileManager.default.removeItem(atPath: blob)
            }
            try await share(place)
            #expect(try Data(contentsOf: URL(fileURLWithPath: blob)) == Data(shared))
            #expect(try build(workspace, place.url).contains("1 remote cache hit"))
        }
    }

    /// Builds with nothing but the remote cache. Returns what Bazel said.
    private func build(_ workspace: String, _ url: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program!)
        process.arguments = [
            "--output_base=\(folder.file(UUID().uuidString))", "--batch", "build", "--remote_cache=\(url)",
            "--spawn_strategy=local", "--noshow_progress", "//:copy",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: workspace)
        let output = folder.file("bazel-\(UUID().uuidString)")
        FileManager.default.createFile(atPath: output, contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = process.standardOutput
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOfFile: output, encoding: .utf8)
        #expect(process.terminationStatus == 0, "\(text)")
        return text
    }
}
