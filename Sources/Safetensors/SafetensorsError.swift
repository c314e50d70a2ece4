/// Safetensors data that cannot be read or written: which file, which tensor, what is wrong.
public struct SafetensorsError: Error, Equatable, CustomStringConvertible {
    /// A path, or what else the bytes came from.
    public let source: String
    /// Nil when the fault is not in one tensor.
    public let tensor: String?
    public let problem: String

    public init(source: String, tensor: String? = nil, problem: String) {
        self.source = source
        self.tensor = tensor
        self.problem = problem
    }

    public var description: String {
        if let tensor { "\(source): tensor \"\(tensor)\": \(problem)" } else { "\(source): \(problem)" }
    }
}
