import Glibc

/// A file of entries of one size that is only appended to; of several entries about one thing the last counts.
///
/// Several processes may append at once. What a crash cuts off is padded by the next who appends, and reads as one
/// entry that says nothing of use.
package struct EntryLog: Sendable {
    let path: String
    let entryBytes: Int

    package init(path: String, entryBytes: Int) {
        self.path = path
        self.entryBytes = entryBytes
    }

    /// Calls `body` with each entry, the oldest first. O(size of the file).
    package func read(_ body: (UnsafeRawBufferPointer) -> Void) throws {
        guard let file = try FileSystem.openIfPresent(path) else { return }
        let bytes = try FileSystem.contents(of: file, path, count: FileSystem.status(of: file, path).bytes)
        bytes.withUnsafeBytes { buffer in
            // A last entry that was cut off says nothing.
            for start in stride(from: 0, to: buffer.count / entryBytes * entryBytes, by: entryBytes) {
                body(UnsafeRawBufferPointer(rebasing: buffer[start..<start + entryBytes]))
            }
        }
    }

    /// - Parameter entries: whole entries, one after the other.
    package func append(_ entries: [UInt8]) throws {
        guard !entries.isEmpty else { return }
        precondition(entries.count % entryBytes == 0, "entries are written whole")
        // One call, so that what several processes append does not mix.
        let file = try FileSystem.open(path, O_WRONLY | O_CREAT | O_APPEND)
        let end = try FileSystem.status(of: file, path).bytes
        var bytes = entries
        if end % entryBytes != 0 {
            // Someone died while writing: whole entries have to follow.
            bytes = [UInt8](repeating: 0, count: entryBytes - end % entryBytes) + bytes
        }
        try bytes.withUnsafeBytes { try FileSystem.write($0, to: file.raw, path) }
    }

    /// Forgets everything.
    package func clear() throws { try FileSystem.remove(path) }
}
