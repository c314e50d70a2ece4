/// The tensors of one safetensors file, mapped from disk or held in memory. Reading copies nothing.
public struct SafetensorsArchive: Sendable {
    /// A path, or what else the bytes came from; named in every error.
    public let source: String
    public let header: SafetensorsHeader
    private let storage: Storage

    private enum Storage: Sendable {
        case mapped(MappedFile)
        case bytes([UInt8])
    }

    /// Maps a file. The file must not be truncated while the archive is in use.
    ///
    /// - Throws: ``SafetensorsError`` when the file cannot be read or its header is not valid.
    public init(mapping path: String) throws(SafetensorsError) {
        let file = try MappedFile(path: path)
        source = path
        header = try SafetensorsHeader(parsing: file.bytes, source: path)
        storage = .mapped(file)
    }

    /// Reads safetensors data from memory, such as an artifact's shard.
    ///
    /// - Throws: ``SafetensorsError`` when the header is not valid.
    public init(decoding bytes: [UInt8], source: String = "safetensors data") throws(SafetensorsError) {
        let parsed: Result<SafetensorsHeader, SafetensorsError> = bytes.withUnsafeBytes { buffer in
            Result { () throws(SafetensorsError) in try SafetensorsHeader(parsing: buffer, source: source) }
        }
        self.source = source
        header = try parsed.get()
        storage = .bytes(bytes)
    }

    /// The names of all tensors, ordered by their bytes.
    public var names: [String] { header.entries.map(\.name) }

    /// The entry of a tensor.
    ///
    /// - Throws: ``SafetensorsError`` when there is none of that name.
    public func entry(_ name: String) throws(SafetensorsError) -> TensorEntry {
        guard let entry = header.entry(name) else {
            throw SafetensorsError(source: source, tensor: name, problem: "is missing")
        }
        return entry
    }

    /// Calls `body` with a tensor's bytes, row-major and little-endian, valid during the call only.
    public func withBytes<Result>(
        of entry: TensorEntry, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let range = header.dataOffset + entry.range.lowerBound..<header.dataOffset + entry.range.upperBound
        switch storage {
        case .mapped(let file): return try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
        case .bytes(let bytes):
            return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
        }
    }

    /// A tensor's elements in row-major order.
    ///
    /// - Parameter shape: when given, the shape the tensor must have.
    /// - Throws: ``SafetensorsError`` when the tensor is missing or of another type or shape.
    public func values<Scalar: TensorScalar>(
        _ name: String, as scalar: Scalar.Type = Scalar.self, shape: [Int]? = nil
    ) throws(SafetensorsError) -> [Scalar] {
        let entry = try entry(name)
        guard entry.type == Scalar.elementType else {
            throw SafetensorsError(
                source: source, tensor: name,
                problem: "should be \(Scalar.elementType.rawValue), found \(entry.type.rawValue)")
        }
        if let shape, entry.shape != shape {
            throw SafetensorsError(
                source: source, tensor: name, problem: "should have the shape \(shape), found \(entry.shape)")
        }
        return withBytes(of: entry) { source in
            [Scalar](unsafeUninitializedCapacity: entry.elementCount) { target, count in
                UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                count = entry.elementCount
            }
        }
    }
}
