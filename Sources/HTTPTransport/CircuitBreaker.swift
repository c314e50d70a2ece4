/// Turns a failing server off: a pure state machine.
///
/// It opens after `threshold` failures in a row, and stays open: whoever holds it goes on without the server. One
/// success before that closes it again.
public struct CircuitBreaker: Sendable, Equatable {
    public enum Change: Sendable, Equatable {
        case none
        /// The failure just told was the one too many. Said once.
        case opened
    }

    public let threshold: Int
    public private(set) var failuresInARow = 0
    public private(set) var isOpen = false

    /// - Parameter threshold: at least 1.
    public init(threshold: Int = 3) {
        precondition(threshold >= 1)
        self.threshold = threshold
    }

    public mutating func succeeded() { failuresInARow = 0 }

    public mutating func failed() -> Change {
        guard !isOpen else { return .none }
        failuresInARow += 1
        return failuresInARow >= threshold ? open() : .none
    }

    /// Opens it at once: for failures that no patience mends.
    public mutating func open() -> Change {
        guard !isOpen else { return .none }
        isOpen = true
        return .opened
    }
}
