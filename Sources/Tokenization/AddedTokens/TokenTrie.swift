/// Finds the longest of a set of byte strings that begins at a place.
struct TokenTrie: Sendable {
    private struct Node {
        var children: [UInt8: Int32] = [:]
        var value: Int32 = -1
    }

    private var nodes = [Node()]
    private var firstBytes = [Bool](repeating: false, count: 256)
    private(set) var isEmpty = true

    /// A later value of the same string takes the place of the earlier one.
    mutating func insert(_ string: some Sequence<UInt8>, value: Int32) {
        var node = 0
        for byte in string {
            if node == 0 { firstBytes[Int(byte)] = true }
            if let child = nodes[node].children[byte] {
                node = Int(child)
            } else {
                nodes[node].children[byte] = Int32(nodes.count)
                node = nodes.count
                nodes.append(Node())
            }
        }
        guard node > 0 else { return }
        nodes[node].value = value
        isEmpty = false
    }

    /// The first match from an offset on, the longest that begins there. O(distance × longest string).
    func firstMatch(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> (range: Range<Int>, value: Int32)? {
        firstBytes.withUnsafeBufferPointer { firstBytes in
            var offset = start
            while offset < bytes.count {
                if firstBytes[Int(bytes[offset])], let match = match(in: bytes, at: offset) { return match }
                offset += 1
            }
            return nil
        }
    }

    private func match(in bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> (range: Range<Int>, value: Int32)? {
        var (node, offset) = (0, start)
        var found: (range: Range<Int>, value: Int32)?
        while offset < bytes.count, let child = nodes[node].children[bytes[offset]] {
            (node, offset) = (Int(child), offset + 1)
            if nodes[node].value >= 0 { found = (start..<offset, nodes[node].value) }
        }
        return found
    }
}
