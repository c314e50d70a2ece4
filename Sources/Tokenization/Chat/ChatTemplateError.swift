/// Why a chat template cannot be read or rendered.
public struct ChatTemplateError: Error, Equatable, CustomStringConvertible {
    /// Counted from 1; 0 when the place is not known.
    public let line: Int
    public let problem: String

    public init(line: Int, problem: String) {
        self.line = line
        self.problem = problem.shortened
    }

    public var description: String {
        line > 0 ? "chat template: line \(line): \(problem)" : "chat template: \(problem)"
    }
}
