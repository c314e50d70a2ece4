import ContentStore
import Glibc
import HTTPTransport

/// A tier in a bucket of S3, or of something that speaks like it.
struct S3Storage: ObjectStorage {
    /// Larger objects are sent in parts.
    static let multipartThreshold = 64 << 20

    let bucket: String
    let prefix: String
    let tier: String
    let transfer: WebTransfer
    /// The bucket itself.
    private let root: WebAddress

    var parallelism: Int { transfer.client.settings.connections }

    /// - Throws: ``TierError`` where credentials are missing or the settings make no sense.
    init(
        bucket: String, prefix: String, settings: TierSettings, client: WebClient, environment: TierEnvironment,
        clock: @escaping @Sendable () -> Int = { time(nil) }
    ) throws {
        let tier = settings.url.description
        let options = settings.url.options
        let aws = AWSConfiguration(environment)
        guard let credentials = aws.credentials else {
            throw TierError(
                .refused, tier, "there are no AWS credentials",
                remedy: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE and ~/.aws/credentials")
        }
        let region = options["region"] ?? aws.region ?? "us-east-1"
        self.bucket = bucket
        self.prefix = prefix
        self.tier = tier
        root = try S3Storage.root(
            bucket, endpoint: options["endpoint"] ?? aws.endpoint, region: region, style: options["style"], tier: tier)
        let signature = SignatureV4(credentials, region: region)
        transfer = WebTransfer(
            client: client, patience: WebClient.Patience(settings.retries), tier: tier,
            authorize: { request in
                signature.sign(request, payload: try S3Storage.payloadDigest(request.body), time: clock())
            }, explain: { S3Failure.explain($0, bucket: bucket, region: region, tier: tier) })
    }

    /// Path style for endpoints of one's own, virtual hosts for AWS, unless the URL says which.
    private static func root(
        _ bucket: String, endpoint: String?, region: String, style: String?, tier: String
    ) throws -> WebAddress {
        func malformed(_ problem: String, _ remedy: String) -> TierError {
            TierError(.malformed, tier, problem, remedy: remedy)
        }
        let usesPath: Bool
        switch style {
        // A dot in the name would not fit the certificate for virtual hosts.
        case nil: usesPath = endpoint != nil || bucket.contains(".")
        case "path"?: usesPath = true
        case "virtual-host"?: usesPath = false
        case let other?: throw malformed("its style is \"\(other)\"", "write style=path or style=virtual-host")
        }
        let server: WebAddress
        do {
            let parsed = try WebAddress.parse(endpoint ?? "https://s3.\(region).amazonaws.com")
            guard parsed.credential == nil else {
                throw malformed("its endpoint contains a password", "give credentials as the AWS tools take them")
            }
            server = parsed.address
        } catch let error as WebAddress.Malformed {
            throw malformed("its endpoint is no URL: \(error.problem)", "write endpoint=https://host:port")
        }
        if usesPath { return server.appending(bucket) }
        return WebAddress(scheme: server.scheme, host: "\(bucket).\(server.host)", port: server.port, path: server.path)
    }

    /// The digest that is signed. A file is read for it, so that a server never keeps what was not sent.
    private static func payloadDigest(_ body: WebRequest.Body) throws -> String {
        switch body {
        case .none: return Digest(of: [UInt8]()).hex
        case .bytes(let bytes): return Digest(of: bytes).hex
        case .file(let path, let offset, let count):
            let file = try FileSystem.open(path, O_RDONLY, doing: "reading")
            guard lseek(file.raw, off_t(offset), SEEK_SET) == off_t(offset) else {
                throw FileSystem.failure("reading", path)
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
            defer { buffer.deallocate() }
            var hasher = Hasher256()
            var left = count
            while left > 0 {
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(left, buffer.count)])
                let read = try FileSystem.read(file.raw, into: part, path)
                guard read > 0 else { throw FileSystem.changedWhileRead(path) }
                hasher.update(UnsafeRawBufferPointer(rebasing: part[..<read]))
                left -= read
            }
            return hasher.finalize().hex
        }
    }

    func address(_ object: ObjectName, query: String? = nil) -> WebAddress {
        var address = root
        let key = prefix.isEmpty ? object.path : "\(prefix)/\(object.path)"
        address.path += (address.path.hasSuffix("/") ? "" : "/") + PercentEncoding.encode(key, keepingSlash: true)
        address.query = query
        return address
    }

    func bucketAddress(query: String) -> WebAddress {
        var address = root
        address.query = query
        return address
    }

    func status(of object: ObjectName) async throws -> ObjectStatus? {
        let response = try await transfer.send(WebRequest(.head, address(object)), accepting: [404])
        guard response.status != 404 else { return nil }
        return ObjectStatus(
            bytes: response[header: "Content-Length"].flatMap { Int($0) },
            validator: S3Answer.tag(response[header: "ETag"]))
    }

    func read(_ object: ObjectName, limit: Int) async throws -> [UInt8]? {
        let response = try await transfer.send(WebRequest(.get, address(object)), limit: limit, accepting: [404])
        guard response.status == 404 else { return response.body }
        // A bucket that is not there is no empty tier.
        if S3Answer.text("Code", in: response.body) == "NoSuchBucket" {
            throw S3Failure.noSuchBucket(bucket, tier: tier)
        }
        return nil
    }

    func download(
        _ object: ObjectName, limit: Int, to path: String, check: IncomingBlob?
    ) async throws -> Bool {
        try await transfer.download(WebRequest(.get, address(object)), limit: limit, to: path, check: check)
    }

    func write(_ object: ObjectName, _ bytes: [UInt8]) async throws {
        _ = try await transfer.send(WebRequest(.put, address(object), body: .bytes(bytes)))
    }

    func write(_ object: ObjectName, fileAt path: String, bytes: Int) async throws -> ObjectStatus? {
        guard bytes <= S3Storage.multipartThreshold else {
            try await writeParts(object, fileAt: path, bytes: bytes)
            return nil
        }
        let body = WebRequest.Body.file(path: path, offset: 0, count: bytes)
        let response = try await transfer.send(WebRequest(.put, address(object), body: body))
        return S3Answer.tag(response[header: "ETag"]).map { ObjectStatus(bytes: bytes, validator: $0) }
    }

    func remove(_ object: ObjectName) async throws {
        _ = try await transfer.send(WebRequest(.delete, address(object)), accepting: [404])
    }

}
