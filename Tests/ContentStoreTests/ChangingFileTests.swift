import Foundation
import Synchronization
import Testing

@testable import ContentStore

@Suite struct ChangingFileTests {
    /// A file to which another thread writes all the time.
    private final class Writer: Sendable {
        private let isOver = Atomic(false)
        private let hasEnded = Atomic(false)

        init(_ path: String) {
            let thread = Thread { [self] in
                let file = open(path, O_WRONLY | O_APPEND)
                while !isOver.load(ordering: .acquiring) { write(file, "x", 1) }
                close(file)
                hasEnded.store(true, ordering: .releasing)
            }
            thread.start()
        }

        func stop() {
            isOver.store(true, ordering: .releasing)
            while !hasEnded.load(ordering: .acquiring) { sched_yield() }
        }
    }

    @Test func aFileThatChangesWhileItIsReadHasNoDigest() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("data", "abc")
        truncate(file, 8 << 20)
        let cache = StatCache()
        let writer = Writer(file)
        defer { writer.stop() }
        // On a busy machine the writer may not have its turn during one reading.
        for _ in 0..<10_000 {
            do {
                _ = try cache.content(of: file)
            } catch let error as ContentStoreError {
                #expect(error.code == .changedWhileRead)
                #expect("\(error)".contains(file))
                return
            }
        }
        Issue.record("a file that grew all the time was never seen to change")
    }
}
