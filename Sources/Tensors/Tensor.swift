import CTorch

/// An array of numbers of any rank, owned by libtorch; a handle that frees it when the last reference goes.
///
/// Operations record what gradients need unless run inside ``withoutGradients(_:)``. Not `Sendable`: a tensor and
/// all computed from it belong to one thread.
public final class Tensor {
    let handle: OpaquePointer

    /// Takes ownership of a handle of the C interface.
    init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { ct_tensor_free(handle) }

    /// The types of elements students use.
    public enum Element: UInt32, Sendable, CaseIterable {
        case float32 = 0
        case float64 = 1
        case bfloat16 = 2
        case float16 = 3

        /// Bytes one element takes.
        public var byteCount: Int {
            switch self {
            case .float32: 4
            case .float64: 8
            case .bfloat16, .float16: 2
            }
        }

        var type: CTType { CTType(rawValue: rawValue) }
    }

    /// Where a tensor lies.
    public enum Device: UInt32, Sendable {
        case cpu = 0
        case cuda = 1

        var device: CTDevice { CTDevice(rawValue: rawValue) }
    }

    /// Copies `bytes`, row-major elements of `type`.
    ///
    /// - Throws: ``TensorError`` when memory runs out.
    public convenience init(
        bytes: UnsafeRawBufferPointer, type: Element, shape: [Int], device: Device = .cpu
    ) throws(TensorError) {
        precondition(bytes.count == shape.reduce(type.byteCount, *), "the bytes do not fill the shape \(shape)")
        let lengths = shape.map(Int64.init)
        self.init(
            owning: try produce("copying a tensor") {
                ct_tensor_create(
                    bytes.baseAddress, type.type, lengths, Int32(lengths.count), device.device, $0)
            })
    }

    /// Copies elements in row-major order; a vector unless `shape` says otherwise.
    public convenience init(_ values: [Float], shape: [Int]? = nil, device: Device = .cpu) throws(TensorError) {
        self.init(owning: try Self.copy(values, .float32, shape ?? [values.count], device))
    }

    /// Copies elements in row-major order; a vector unless `shape` says otherwise.
    public convenience init(_ values: [Double], shape: [Int]? = nil, device: Device = .cpu) throws(TensorError) {
        self.init(owning: try Self.copy(values, .float64, shape ?? [values.count], device))
    }

    private static func copy<Value>(
        _ values: [Value], _ type: Element, _ shape: [Int], _ device: Device
    ) throws(TensorError) -> OpaquePointer {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill the shape \(shape)")
        let lengths = shape.map(Int64.init)
        return try produce("copying a tensor") { out in
            values.withUnsafeBytes {
                ct_tensor_create($0.baseAddress, type.type, lengths, Int32(lengths.count), device.device, out)
            }
        }
    }

    /// A tensor of zeros.
    public static func zeros(
        _ shape: [Int], type: Element = .float32, device: Device = .cpu
    ) throws(TensorError) -> Tensor {
        let lengths = shape.map(Int64.init)
        return Tensor(
            owning: try produce("allocating a tensor") {
                ct_tensor_zeros(type.type, lengths, Int32(lengths.count), device.device, $0)
            })
    }

    /// Lengths of the dimensions, outermost first.
    public var shape: [Int] {
        (0..<ct_tensor_rank(handle)).map { Int(ct_tensor_length(handle, $0)) }
    }

    public var count: Int { shape.reduce(1, *) }

    /// The type of the elements.
    public var type: Element {
        var type = CT_FLOAT32
        guard ct_tensor_type(handle, &type) == CT_OK, let element = Element(rawValue: type.rawValue) else {
            preconditionFailure("a tensor of a type without a name")
        }
        return element
    }

    /// Calls `body` with the elements' bytes, row-major.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let size = count * type.byteCount
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 64)
        defer { buffer.deallocate() }
        try check(ct_tensor_read(handle, buffer.baseAddress, size), "reading a tensor")
        return try body(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
    }

    /// The elements in row-major order, whatever their type, as doubles.
    public func doubles() throws(TensorError) -> [Double] {
        let wide = type == .float64 ? self : try converted(to: .float64)
        var values = [Double](repeating: 0, count: count)
        let size = values.count * 8
        try check(
            values.withUnsafeMutableBytes { ct_tensor_read(wide.handle, $0.baseAddress, size) }, "reading a tensor")
        return values
    }

    /// The only element of a tensor that has one.
    public func scalar() throws(TensorError) -> Double {
        precondition(count == 1, "a tensor of the shape \(shape) is no scalar")
        return try doubles()[0]
    }

    /// Replaces all elements, without recording it.
    public func assign(_ bytes: UnsafeRawBufferPointer) throws(TensorError) {
        try check(ct_tensor_write(handle, bytes.baseAddress, bytes.count), "writing a tensor")
    }

    /// The same values in another type or place; this tensor itself where nothing changes.
    public func converted(to type: Element, device: Device = .cpu) throws(TensorError) -> Tensor {
        try Tensor(owning: produce("converting a tensor") { ct_tensor_convert(handle, type.type, device.device, $0) })
    }
}

/// Calls a function of the C interface that hands out one new handle.
func produce(
    _ operation: String, _ body: (UnsafeMutablePointer<OpaquePointer?>) -> CTStatus
) throws(TensorError) -> OpaquePointer {
    var out: OpaquePointer?
    try check(body(&out), operation)
    return out!
}
