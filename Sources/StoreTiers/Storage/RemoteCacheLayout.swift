import CanonicalJSON
import ContentStore
import HTTPTransport
import Synchronization

/// Where a server keeps blobs, and how they are sent to it.
///
/// `/cas/<sha256>` holds the content itself, as every client of a remote cache expects: compressed on the way where the
/// server speaks zstd, else plain. A server that stores whatever it gets under any path, such as plain WebDAV, would
/// make every transfer as large as the content; there the zstd frames lie under `/cas.zst/<sha256>`, and `/cas` is left
/// alone. Whoever first writes to a tier finds out which it is and notes it in the format document, for readers.
enum RemoteCacheLayout: String, Sendable {
    case content = "cas"
    case frames = "cas.zst"

    /// As a format document says; the dialect's own where it says nothing.
    init(document: [UInt8]) {
        let name = (try? JSON.parse(document))?["blobs"]?.string
        self = name.flatMap { RemoteCacheLayout(rawValue: $0) } ?? .content
    }

    func noted(in document: [UInt8]) -> [UInt8] {
        guard var object = (try? JSON.parse(document))?.object else { return document }
        object["blobs"] = .string(rawValue)
        return JSON.object(object).canonicalBytes
    }
}

/// How content is sent to `/cas`.
enum ContentEncoding: Sendable {
    case zstd
    /// The server refuses compressed content.
    case plain
    /// The server keeps what it gets and checks nothing, so compressed content would stay compressed.
    case unchecked
}

/// What is known of one server.
final class RemoteCacheKnowledge: Sendable {
    private struct State {
        var layout = RemoteCacheLayout.content
        var encoding: Task<ContentEncoding, any Error>?
    }

    private let state = Mutex(State())

    var layout: RemoteCacheLayout {
        get { state.withLock { $0.layout } }
        set { state.withLock { $0.layout = newValue } }
    }

    /// The encoding, found out with `probe` the first time and after a probe that failed.
    func encoding(_ probe: @escaping @Sendable () async throws -> ContentEncoding) async throws -> ContentEncoding {
        let task = state.withLock { state in
            if let task = state.encoding { return task }
            let task = Task(executorPreference: Network.executor) { try await probe() }
            state.encoding = task
            return task
        }
        do {
            return try await task.value
        } catch {
            state.withLock { $0.encoding = nil }
            throw error
        }
    }
}
