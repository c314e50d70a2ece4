import CTorch

/// An operation on tensors that failed: which one and, in libtorch's words, why.
public struct TensorError: Error, Equatable, CustomStringConvertible {
    public let code: Code
    public let operation: String
    public let message: String

    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The arguments do not fit the operation, or each other.
        public static let invalid = Code(rawValue: CT_INVALID.rawValue)
        public static let outOfMemory = Code(rawValue: CT_OUT_OF_MEMORY.rawValue)
    }

    public var description: String {
        code == .outOfMemory ? "out of memory in \(operation): \(message)" : "\(operation): \(message)"
    }
}

/// Throws the error behind a status of the C interface.
func check(_ status: CTStatus, _ operation: String) throws(TensorError) {
    guard status != CT_OK else { return }
    throw TensorError(
        code: TensorError.Code(rawValue: status.rawValue), operation: operation,
        message: String(cString: ct_last_error()))
}
