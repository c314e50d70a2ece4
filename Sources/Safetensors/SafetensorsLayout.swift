import CanonicalJSON

/// Where each tensor goes in a file that is to be written; equal input gives equal bytes.
///
/// Tensors lie in the order of their element size, largest first, then of their names' bytes, and data begins at a
/// multiple of eight: so every tensor is aligned for its type although the format allows no gaps. The header is
/// canonical JSON, padded with spaces.
public struct SafetensorsLayout: Sendable {
    /// In the order of their bytes in the file.
    public let entries: [TensorEntry]
    /// The length prefix and the padded JSON.
    public let headerBytes: [UInt8]
    /// Bytes of tensor data after the header.
    public let dataCount: Int

    /// Lays out tensors given in any order.
    ///
    /// - Parameter metadata: free text by key, read back by ``SafetensorsHeader/metadata(_:)``.
    /// - Throws: ``SafetensorsError`` for a name given twice or reserved, and for a shape that overflows.
    public init(
        _ tensors: some Sequence<(name: String, type: ElementType, shape: [Int])>,
        metadata: [(key: String, value: String)] = [], source: String = "safetensors data"
    ) throws(SafetensorsError) {
        let ordered = tensors.sorted { a, b in
            a.type.byteCount == b.type.byteCount
                ? compareUTF8(a.name, b.name) < 0 : a.type.byteCount > b.type.byteCount
        }
        var entries: [TensorEntry] = []
        var header = JSONObject()
        var members: [(String, JSON)] = []
        var offset = 0
        for tensor in ordered {
            guard tensor.name != "__metadata__" else {
                throw SafetensorsError(source: source, tensor: tensor.name, problem: "has a reserved name")
            }
            var size = (partialValue: tensor.type.byteCount, overflow: false)
            for length in tensor.shape {
                let product = size.partialValue.multipliedReportingOverflow(by: length)
                size = (product.partialValue, size.overflow || product.overflow || length < 0)
            }
            let end = offset.addingReportingOverflow(size.partialValue)
            guard !size.overflow, !end.overflow else {
                throw SafetensorsError(
                    source: source, tensor: tensor.name, problem: "has the impossible shape \(tensor.shape)")
            }
            let range = offset..<end.partialValue
            entries.append(TensorEntry(name: tensor.name, type: tensor.type, shape: tensor.shape, range: range))
            let object: JSON = [
                "dtype": .string(tensor.type.rawValue),
                "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
                "data_offsets": [.integer(Int64(range.lowerBound)), .integer(Int64(range.upperBound))],
            ]
            members.append((tensor.name, object))
            offset = end.partialValue
        }
        if !metadata.isEmpty {
            members.append(("__metadata__", .object(JSONObject(metadata.map { ($0.key, .string($0.value)) }))))
        }
        header = JSONObject(members)
        guard header.count == members.count else {
            let names = ordered.map(\.name).sorted { compareUTF8($0, $1) < 0 }
            let twice = zip(names, names.dropFirst()).first { compareUTF8($0, $1) == 0 }?.0
            throw SafetensorsError(source: source, tensor: twice, problem: "is given twice")
        }
        var text = JSON.object(header).canonicalBytes
        while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
        self.entries = entries
        headerBytes = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
        dataCount = offset
    }
}
