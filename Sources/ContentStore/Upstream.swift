/// What stands behind a local store: asked for what is not here, told what is new.
///
/// Calls come from several threads and block them. None of them throws for trouble with the network: whoever
/// implements this says it once and goes on without; then what was asked for cannot be had.
public protocol Upstream: Sendable {
    /// Those of `digests` that can be fetched, as far as is known.
    func available(among digests: [Digest]) -> Set<Digest>

    /// The results of those keys that have one that may be used. The blobs they need may be missing.
    func results(for keys: [Digest]) -> [Digest: ActionResult]

    /// Writes the file of a blob to `path`, which does not exist: zstd frames or plain content, not yet verified.
    ///
    /// - Parameter limit: how many bytes the content may have.
    /// - Returns: Why it cannot be had; nil when it was written.
    func fetch(_ digest: Digest, limit: Int, to path: String) -> String?

    /// What came for `digest` was not its content. It is not to be offered again.
    func rejected(_ digest: Digest, _ problem: String)

    /// The result of `key` and all it needs are durable in the local store.
    func published(_ key: Digest)
}
