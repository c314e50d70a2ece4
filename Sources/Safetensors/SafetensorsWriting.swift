/// A tensor to be written: its name, type, shape and bytes.
public struct TensorContent: Sendable, Equatable {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    /// Row-major, little-endian.
    public let bytes: [UInt8]

    public init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }

    /// A tensor from its elements in row-major order; a vector unless `shape` says otherwise.
    public init<Scalar: TensorScalar>(_ name: String, _ elements: [Scalar], shape: [Int]? = nil) {
        self.init(
            name: name, type: Scalar.elementType, shape: shape ?? [elements.count],
            bytes: elements.withUnsafeBytes { Array($0) })
    }
}

extension SafetensorsArchive {
    /// Safetensors data in memory. Equal tensors in any order give equal bytes.
    ///
    /// - Throws: ``SafetensorsError`` for a name given twice or bytes that do not match the shape.
    public static func encode(
        _ tensors: [TensorContent], metadata: [(key: String, value: String)] = []
    ) throws(SafetensorsError) -> [UInt8] {
        let layout = try SafetensorsLayout(
            tensors.map { (name: $0.name, type: $0.type, shape: $0.shape) }, metadata: metadata)
        var bytes = layout.headerBytes
        bytes.reserveCapacity(bytes.count + layout.dataCount)
        let byName = Dictionary(tensors.map { (Array($0.name.utf8), $0) }, uniquingKeysWith: { first, _ in first })
        for entry in layout.entries {
            let content = byName[Array(entry.name.utf8)]!
            guard content.bytes.count == entry.range.count else {
                throw SafetensorsError(
                    source: "safetensors data", tensor: entry.name,
                    problem: "has \(content.bytes.count) bytes, its shape \(entry.shape) needs \(entry.range.count)")
            }
            bytes.append(contentsOf: content.bytes)
        }
        return bytes
    }

    /// Writes a file tensor by tensor, atomically: a reader sees the whole new file or what was there before.
    ///
    /// - Parameter emit: hands the bytes of one entry to its second argument, in one piece or several.
    /// - Throws: ``SafetensorsError`` when the file cannot be written or an entry's bytes do not match its shape;
    ///   whatever `emit` throws. The target is untouched then.
    public static func write(
        _ layout: SafetensorsLayout, to path: String,
        emit: (TensorEntry, (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let file = try AtomicFile(path: path)
        try layout.headerBytes.withUnsafeBytes { try file.append($0) }
        for entry in layout.entries {
            var written = 0
            try emit(entry) { piece in
                written += piece.count
                try file.append(piece)
            }
            guard written == entry.range.count else {
                throw SafetensorsError(
                    source: path, tensor: entry.name,
                    problem: "has \(written) bytes, its shape \(entry.shape) needs \(entry.range.count)")
            }
        }
        try file.publish()
    }
}
