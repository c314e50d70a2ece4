import ContentStore
import HTTPTransport

extension Tier {
    /// A tier as configured. Nothing is asked of it yet.
    ///
    /// - Parameters:
    ///   - store: the local store before it: what is known of the tier is remembered there.
    ///   - signer: signs the results that are uploaded.
    ///   - environment: where credentials come from.
    /// - Throws: ``TierError`` for settings that make no sense, and for credentials that are configured but missing.
    public static func open(
        _ settings: TierSettings, before store: LocalStore, signer: SigningKey? = nil,
        environment: TierEnvironment = .process
    ) throws -> Tier {
        let storage = try storage(settings, store, environment)
        let held = (try? store.memory(of: settings.url.description).blobs()) ?? []
        return Tier(settings, storage: storage, signer: signer, held: held)
    }

    private static func storage(
        _ settings: TierSettings, _ store: LocalStore, _ environment: TierEnvironment
    ) throws -> any ObjectStorage {
        let tier = settings.url.description
        switch settings.url.location {
        case .directory(let path):
            return DirectoryStorage(root: path, tier: tier)
        case .web(let address):
            let credential = try environment.credential(for: settings, host: address.host)
            let transfer = WebTransfer(
                client: client(settings, environment), patience: WebClient.Patience(settings.retries), tier: tier,
                authorize: { request in
                    guard let credential else { return request }
                    var request = request
                    request.authorize(credential)
                    return request
                }, explain: { _ in nil })
            return RemoteCacheStorage(base: address, tier: tier, transfer: transfer) { try store.expand($0) }
        case .bucket(let name, let prefix):
            return try S3Storage(
                bucket: name, prefix: prefix, settings: settings, client: client(settings, environment),
                environment: environment)
        }
    }

    private static func client(_ settings: TierSettings, _ environment: TierEnvironment) -> WebClient {
        WebClient(
            WebClient.Settings(
                limits: settings.limits, connections: 16,
                certificateAuthorities: settings.certificateAuthority.map { environment.path($0) }))
    }
}
