import Foundation

/// rclone serving a folder as S3: it checks signatures.
public final class S3Server: Sendable {
    public static let accessKey = "AKIATEST"
    public static let secretKey = "SECRETTEST"

    private static var program: String? {
        ServiceProcess.program(
            "rclone", besides: [ServiceProcess.packageRoot.appendingPathComponent(".build/services/bin").path])
    }

    /// Whether it is installed; scripts/install-services does that.
    public static var isInstalled: Bool { program != nil }

    public let endpoint: String
    /// A bucket that exists.
    public let bucket = "team-bucket"
    /// Where the bucket's objects lie as files.
    public let objects: String
    private let process: ServiceProcess

    public init() throws {
        let folder = try ServiceProcess.makeFolder("s3")
        let data = folder.appendingPathComponent("data")
        objects = data.appendingPathComponent(bucket).path
        try FileManager.default.createDirectory(atPath: objects, withIntermediateDirectories: true)
        let port = try ServiceProcess.freePort()
        endpoint = "http://127.0.0.1:\(port)"
        process = try ServiceProcess(
            S3Server.program!,
            [
                "serve", "s3", "--addr", "127.0.0.1:\(port)", "--auth-key",
                "\(S3Server.accessKey),\(S3Server.secretKey)",
                "--vfs-cache-mode", "off", "--no-cleanup", data.path,
            ],
            environment: ["HOME": folder.path, "RCLONE_CONFIG": "/dev/null", "PATH": "/usr/bin:/bin"], folder: folder,
            port: port)
    }

    public func stop() { process.stop() }
}
