import Foundation

/// nginx with WebDAV as a plain blob cache: open over HTTP, with basic authentication over HTTP and TLS.
public final class NginxServer: Sendable {
    public static let user = "cache"
    public static let password = "s3cret"

    /// Whether it is installed; scripts/install-services does that.
    public static var isInstalled: Bool { ServiceProcess.program("nginx") != nil }

    public let openURL: String
    public let protectedURL: String
    public let tlsURL: String
    public let certificate: String
    /// Where the objects lie as files.
    public let objects: String
    private let process: ServiceProcess

    public init() throws {
        let folder = try ServiceProcess.makeFolder("nginx")
        let (open, protected, tls) = (
            try ServiceProcess.freePort(), try ServiceProcess.freePort(), try ServiceProcess.freePort()
        )
        openURL = "http://127.0.0.1:\(open)"
        protectedURL = "http://127.0.0.1:\(protected)"
        tlsURL = "https://127.0.0.1:\(tls)"
        certificate = folder.appendingPathComponent("tls.crt").path
        objects = folder.appendingPathComponent("blobs").path
        for name in ["blobs", "tmp", "logs"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        try ServiceProcess.run(
            ServiceProcess.program("openssl") ?? "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                folder.appendingPathComponent("tls.key").path, "-out", certificate,
            ])
        try "\(Self.user):{PLAIN}\(Self.password)\n".write(
            to: folder.appendingPathComponent("htpasswd"), atomically: true, encoding: .utf8)
        let configuration = NginxServer.configuration(folder.path, open: open, protected: protected, tls: tls)
        let file = folder.appendingPathComponent("nginx.conf")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        process = try ServiceProcess(
            ServiceProcess.program("nginx")!,
            ["-e", "\(folder.path)/logs/error.log", "-p", folder.path, "-c", file.path], folder: folder, port: open)
    }

    public func stop() { process.stop() }

    private static func configuration(_ folder: String, open: Int, protected: Int, tls: Int) -> String {
        // An upload is written beside the objects and renamed, so that a broken one leaves nothing.
        func location(_ folders: String) -> String {
            """
            location ~ "^/(team/)?(\(folders))/[0-9a-f]{64}$" {
              dav_methods PUT DELETE; create_full_put_path on;
            """
        }
        // The open server has a place for compressed blobs; the others are as they are set up for Bazel alone.
        let (openLocation, dialectLocation) = (location("ac|cas|cas[.]zst"), location("ac|cas"))
        let authentication = "auth_basic cache; auth_basic_user_file \(folder)/htpasswd; }"
        let user = geteuid() == 0 ? "user root;" : ""
        return """
            \(user) daemon off; worker_processes 2; pid \(folder)/nginx.pid;
            events { worker_connections 512; }
            http {
              access_log off; log_not_found off; default_type application/octet-stream;
              client_max_body_size 0; client_body_temp_path \(folder)/tmp/body; proxy_temp_path \(folder)/tmp/proxy;
              fastcgi_temp_path \(folder)/tmp/f; uwsgi_temp_path \(folder)/tmp/u; scgi_temp_path \(folder)/tmp/s;
              keepalive_requests 100000; root \(folder)/blobs;
              server { listen 127.0.0.1:\(open); \(openLocation) } location / { return 400; } }
              server { listen 127.0.0.1:\(protected); \(dialectLocation) \(authentication) location / { return 400; } }
              server { listen 127.0.0.1:\(tls) ssl; ssl_certificate \(folder)/tls.crt;
                ssl_certificate_key \(folder)/tls.key; \(dialectLocation) \(authentication) location / { return 400; } }
            }
            """
    }
}
