import Dispatch
import Foundation
import Synchronization
import Testing

@testable import ContentStore

/// Blobs that are fetched before somebody reads them.
@Suite struct FetchAheadTests {
    /// Gives plain content, when it is allowed to.
    private final class Distant: Upstream {
        private struct State {
            var fetched: [Digest] = []
            var underWay = 0
            var most = 0
        }

        private let contents: [Digest: [UInt8]]
        private let state = Mutex(State())
        /// As many fetches may end as it is signalled.
        let allowed = DispatchSemaphore(value: 0)
        let begun = DispatchSemaphore(value: 0)

        init(_ contents: [[UInt8]]) {
            self.contents = Dictionary(uniqueKeysWithValues: contents.map { (Digest(of: $0), $0) })
        }

        var fetched: [Digest] { state.withLock { $0.fetched } }
        var most: Int { state.withLock { $0.most } }

        func fetch(_ digest: Digest, limit: Int, to path: String) -> String? {
            state.withLock { state in
                state.fetched.append(digest)
                state.underWay += 1
                state.most = max(state.most, state.underWay)
            }
            begun.signal()
            allowed.wait()
            defer { state.withLock { $0.underWay -= 1 } }
            guard let content = contents[digest] else { return "nobody has it" }
            return FileManager.default.createFile(atPath: path, contents: Data(content)) ? nil : "no file"
        }

        func available(among digests: [Digest]) -> Set<Digest> { Set(digests) }
        func results(for keys: [Digest]) -> [Digest: ActionResult] { [:] }
        func rejected(_ digest: Digest, _ problem: String) {}
        func published(_ key: Digest) {}
    }

    private let folder: TemporaryFolder
    private let store: LocalStore
    private let contents = (0..<40).map { Array("content \($0)".utf8) }
    private var blobs: [(digest: Digest, bytes: Int)] { contents.map { (Digest(of: $0), $0.count) } }

    init() throws {
        folder = try TemporaryFolder()
        store = try LocalStore(at: folder.file("store"))
    }

    @Test func severalAreFetchedAtOnceAndEachOnlyOnce() throws {
        let distant = Distant(contents)
        store.attach(distant)
        try store.write(contents[0])
        store.fetchAhead(blobs)
        store.fetchAhead(blobs)
        // Nothing ends yet, and still more than one begins.
        for _ in 0..<4 { distant.begun.wait() }
        #expect(distant.fetched.count >= 4)
        for _ in 0..<100 { distant.allowed.signal() }
        for content in contents { #expect(try store.read(Digest(of: content), limit: content.count) == content) }
        #expect(Set(distant.fetched) == Set(blobs.dropFirst().map(\.digest)))
        #expect(distant.fetched.count == contents.count - 1)
        #expect((4...FetchAhead.width).contains(distant.most))
    }

    @Test func whoReadsABlobThatIsStillQueuedDoesNotWaitForItsTurn() throws {
        let distant = Distant(contents)
        store.attach(distant)
        // So many that the last ones have to wait, and a last one whose stripe is nobody's.
        let last = blobs.last!
        func stripe(_ digest: Digest) -> UInt64 { digest.leadingBits % UInt64(LocalStore.fetchStripes) }
        let others = blobs.dropLast().filter { stripe($0.digest) != stripe(last.digest) }
        store.fetchAhead(others + [last])
        let read = DispatchSemaphore(value: 0)
        let store = store
        DispatchQueue.global().async {
            _ = try? store.read(last.digest, limit: last.bytes)
            read.signal()
        }
        while !distant.fetched.contains(last.digest) { distant.begun.wait() }
        #expect(distant.fetched.count < others.count)
        store.stopFetchingAhead()
        for _ in 0..<100 { distant.allowed.signal() }
        read.wait()
    }

    @Test func whatCannotBeHadIsTheReadersTrouble() throws {
        let distant = Distant([])
        store.attach(distant)
        for _ in 0..<100 { distant.allowed.signal() }
        store.fetchAhead(blobs)
        let error = #expect(throws: ContentStoreError.self) { try store.read(blobs[39].digest, limit: 100) }
        #expect(error?.code == .missingBlob)
        #expect(error?.problem.contains("nobody has it") == true, "\(error?.problem ?? "")")
    }
}
