import Synchronization

/// Many small contents at once.
extension LocalStore {
    /// Keeps the content that each element stands for, made, hashed and compressed on all cores.
    ///
    /// Content that is here already is not read: like what a lookup finds, it is checked by whoever reads it first. So
    /// keeping a hundred thousand shards of which one is new costs a hundred thousand `lstat`s and one file.
    ///
    /// - Parameters:
    ///   - sizes: About how many bytes each element's content has. They bound how many are held in memory at once.
    ///   - content: Makes the content of an element; called on any thread, several at once.
    /// - Returns: What was kept, in the order of the elements.
    /// - Throws: What `content` throws, for the first element for which it does; or ``ContentStoreError``: `system`.
    /// - Complexity: O(size) time; memory within ``batchBytes``, or one element's content where that is larger.
    public func write<Element: Sendable>(
        _ elements: [Element], sizes: [Int], content: @Sendable (Element) throws -> [UInt8]
    ) throws -> [FileContent] {
        precondition(elements.count == sizes.count, "every element has a size")
        _ = try writing()
        var kept: [FileContent] = []
        kept.reserveCapacity(elements.count)
        while kept.count < elements.count {
            let start = kept.count
            var end = start
            var bytes = 0
            repeat {
                bytes += sizes[end]
                end += 1
            } while end < elements.count && end - start < LocalStore.batchCount
                && bytes + sizes[end] <= LocalStore.batchBytes
            kept += try writeBatch(Array(elements[start..<end]), content: content)
            if state.withLock({ $0.pendingBlobs.count >= LocalStore.mostPending }) { try flush() }
        }
        return kept
    }

    /// The most contents that are kept at once.
    private static let batchCount = 4096
    /// From how many blobs on that are not in place yet they are put there: their temporary files' names take memory.
    private static let mostPending = 1 << 14
    /// The most bytes of content that are held in memory at once, unless one content alone is larger.
    private static let batchBytes = 16 << 20

    private func writeBatch<Element: Sendable>(
        _ elements: [Element], content: @Sendable (Element) throws -> [UInt8]
    ) throws -> [FileContent] {
        let made = try Parallel.map(elements, atLeast: 2) { element -> (FileContent, [UInt8]) in
            let bytes = try content(element)
            return (FileContent(digest: Digest(of: bytes), bytes: bytes.count), bytes)
        }
        let digests = made.map(\.0.digest)
        var absent = Set(try protecting(digests) { try self.absent(among: digests, noting: true) })
        // Of content that several elements share, one copy.
        let new = absent.isEmpty ? [] : made.filter { absent.remove($0.0.digest) != nil }
        try Parallel.forEach(new, atLeast: 8) { kept, bytes in
            adopt(kept.digest, try writeTemporary(bytes))
        }
        return made.map(\.0)
    }
}
