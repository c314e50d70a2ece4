import CanonicalJSON
import Glibc
import Synchronization

/// The outputs of many actions in one file, so that a run in which nothing changed opens one file and not one for each
/// action.
///
/// It is only a copy: an entry counts while the action's own file is the very one it was copied from (size, times and
/// inode), and the index may be removed at any time. Entries are appended; of several for a key the last counts. What
/// is damaged is seen by its checksum and not used.
final class ActionIndex: Sendable {
    struct Entry: Sendable, Equatable {
        var key: Digest
        /// What `stat` said of the action's file when it was read.
        var file: FileStatus
        var outputs: JSON
        var references: [Digest]
    }

    private struct State {
        var isLoaded = false
        /// Whether something in the file could not be used: then it is started afresh.
        var isDamaged = false
        var bytes: [UInt8] = []
        /// Where the payload of each key's last entry lies in `bytes`.
        var payloads: [Digest: Range<Int>] = [:]
    }

    private let path: String
    private let state = Mutex(State())

    init(path: String) { self.path = path }

    /// What the index says of each key, in the order given.
    ///
    /// - Complexity: O(size of the index) the first time, then O(keys).
    func entries(for keys: [Digest]) throws -> [Entry?] {
        let (bytes, ranges) = try state.withLock { state in
            if !state.isLoaded { try load(&state) }
            return (state.bytes, keys.map { state.payloads[$0] })
        }
        let entries = try Parallel.map(Array(zip(keys, ranges)), atLeast: 256) { key, range -> Entry? in
            guard let range else { return nil }
            return ActionIndexRecord.decode(bytes, range, key: key)
        }
        if zip(entries, ranges).contains(where: { $0 == nil && $1 != nil }) {
            state.withLock { $0.isDamaged = true }
        }
        return entries
    }

    /// Adds entries for later processes. They need not be durable.
    func append(_ entries: [Entry]) throws {
        guard !entries.isEmpty else { return }
        let mustRestart = state.withLock { state in
            defer { state.isDamaged = false }
            return state.isDamaged
        }
        if mustRestart { try FileSystem.remove(path) }
        var bytes: [UInt8] = []
        for entry in entries { ActionIndexRecord.append(entry, to: &bytes) }
        // One call each, so that what several processes append does not mix.
        let file = try FileSystem.open(path, O_WRONLY | O_CREAT | O_APPEND)
        if try FileSystem.status(of: file, path).bytes == 0 { bytes = ActionIndexRecord.header + bytes }
        try bytes.withUnsafeBytes { try FileSystem.write($0, to: file.raw, path) }
    }

    private func load(_ state: inout State) throws {
        state.isLoaded = true
        guard let file = try FileSystem.openIfPresent(path) else { return }
        let bytes = try FileSystem.contents(of: file, path, count: FileSystem.status(of: file, path).bytes)
        guard bytes.starts(with: ActionIndexRecord.header) else {
            state.isDamaged = true
            return
        }
        var position = ActionIndexRecord.header.count
        var count = 0
        while position < bytes.count {
            guard let payload = ActionIndexRecord.payload(in: bytes, at: position) else {
                state.isDamaged = true
                break
            }
            state.payloads[ActionIndexRecord.key(in: bytes, payload)] = payload
            position = payload.upperBound + ActionIndexRecord.checksumBytes
            count += 1
        }
        // Mostly entries that later ones replaced: start afresh.
        if count > 2 * state.payloads.count + 4096 { state.isDamaged = true }
        state.bytes = bytes
    }
}

/// One entry in the index's file: the length of the payload (4 bytes), the payload, and the first 8 bytes of its
/// SHA-256. Integers are least significant byte first.
private enum ActionIndexRecord {
    static let header = Array("retort-action-index/1\n".utf8)
    static let checksumBytes = 8
    /// Key, five numbers of the file, the number of references.
    private static let fixedBytes = 32 + 5 * 8 + 4

    static func append(_ entry: ActionIndex.Entry, to bytes: inout [UInt8]) {
        var payload: [UInt8] = []
        entry.key.withRawBytes { payload.append(contentsOf: $0) }
        for value in numbers(entry.file) { append(value, 8, to: &payload) }
        append(UInt64(entry.references.count), 4, to: &payload)
        for reference in entry.references { reference.withRawBytes { payload.append(contentsOf: $0) } }
        entry.outputs.write(to: &payload)
        append(UInt64(payload.count), 4, to: &bytes)
        bytes.append(contentsOf: payload)
        bytes.append(contentsOf: Digest(of: payload).bytes[..<checksumBytes])
    }

    /// Where the payload of the record at `position` lies; nil where the bytes end before it does.
    static func payload(in bytes: [UInt8], at position: Int) -> Range<Int>? {
        guard position + 4 <= bytes.count else { return nil }
        let count = Int(integer(bytes, position, 4))
        let start = position + 4
        guard count >= fixedBytes, count + checksumBytes <= bytes.count - start else { return nil }
        return start..<start + count
    }

    static func key(in bytes: [UInt8], _ payload: Range<Int>) -> Digest {
        digest(bytes, payload.lowerBound)
    }

    static func decode(_ bytes: [UInt8], _ payload: Range<Int>, key: Digest) -> ActionIndex.Entry? {
        let checksum = Digest(of: bytes[payload]).bytes
        guard bytes[payload.upperBound..<payload.upperBound + checksumBytes].elementsEqual(checksum[..<checksumBytes]),
            digest(bytes, payload.lowerBound) == key
        else { return nil }
        let fields = payload.lowerBound + 32
        let values = (0..<5).map { integer(bytes, fields + 8 * $0, 8) }
        let count = Int(integer(bytes, fields + 40, 4))
        let references = payload.lowerBound + fixedBytes
        guard count <= (payload.upperBound - references) / 32 else { return nil }
        let outputs = references + 32 * count
        guard let value = try? JSON.parse(bytes[outputs..<payload.upperBound]) else { return nil }
        return ActionIndex.Entry(
            key: key,
            file: FileStatus(
                kind: .file, bytes: Int(truncatingIfNeeded: values[0]), mode: 0,
                modified: Int(truncatingIfNeeded: values[1]), changed: Int(truncatingIfNeeded: values[2]),
                inode: values[3], device: values[4]),
            outputs: value, references: (0..<count).map { digest(bytes, references + 32 * $0) })
    }

    private static func numbers(_ file: FileStatus) -> [UInt64] {
        [file.bytes, file.modified, file.changed].map { UInt64(bitPattern: Int64($0)) } + [file.inode, file.device]
    }

    private static func digest(_ bytes: [UInt8], _ position: Int) -> Digest {
        bytes.withUnsafeBytes { Digest(raw: UnsafeRawBufferPointer(rebasing: $0[position..<position + 32])) }
    }

    private static func append(_ value: UInt64, _ count: UInt64, to bytes: inout [UInt8]) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    private static func integer(_ bytes: [UInt8], _ position: Int, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
    }
}
