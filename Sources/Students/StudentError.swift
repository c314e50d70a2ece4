/// Work on a student that cannot be done: what it concerns, why, and what to do about it.
public struct StudentError: Error, Equatable, CustomStringConvertible {
    /// A file, a directory, a record or a step.
    public let subject: String
    public let problem: String

    public init(_ subject: String, _ problem: String) {
        self.subject = subject
        self.problem = problem
    }

    public var description: String { "\(subject): \(problem)" }
}
