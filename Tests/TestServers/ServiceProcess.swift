import Foundation
import NIOCore
import NIOPosix

/// A server that is a process of its own, on a free port of 127.0.0.1, stopped with the value.
public final class ServiceProcess: @unchecked Sendable {
    // Sendable unchecked: the process is started in init and stopped in deinit.
    private let process: Process
    public let folder: URL

    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Starts a program and waits until something accepts connections at `port`.
    init(_ program: String, _ arguments: [String], environment: [String: String]? = nil, folder: URL, port: Int) throws
    {
        self.folder = folder
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        if let environment { process.environment = environment }
        let log = folder.appendingPathComponent("service.log")
        FileManager.default.createFile(atPath: log.path, contents: nil)
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let client = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connectTimeout(.seconds(1))
        for _ in 0..<600 {
            if let channel = try? client.connect(host: "127.0.0.1", port: port).wait() {
                try? channel.close().wait()
                return
            }
            guard process.isRunning else { break }
            // No condition to wait for exists outside the process: it is asked again a little later.
            usleep(50_000)
        }
        process.terminate()
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        throw Failed(description: "\(program) did not start: \(text)")
    }

    public func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// A port that nobody listens at.
    static func freePort() throws -> Int {
        let channel = try ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).wait()
        defer { try? channel.close().wait() }
        return channel.localAddress!.port!
    }

    static func makeFolder(_ name: String) throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("retort-\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// The path of a program, if it is installed.
    static func program(_ name: String, besides folders: [String] = []) -> String? {
        let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + paths + ["/usr/sbin", "/usr/bin"]).map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(description: "\(program) failed") }
    }
}
