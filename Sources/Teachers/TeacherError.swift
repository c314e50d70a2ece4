/// Why a request has no answer.
public struct TeacherError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The class of a failure. New classes may be added.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A recorded teacher has nothing for this question.
        public static let noRecording = Code(rawValue: "no-recording")
        /// The run was cancelled before the answer came.
        public static let cancelled = Code(rawValue: "cancelled")
        /// The ledger could not keep or find an answer.
        public static let ledger = Code(rawValue: "ledger")
        /// The endpoint cannot be reached, broke off, or stayed busy through every attempt.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The endpoint refuses the request; asking again does not help.
        public static let refused = Code(rawValue: "refused")
        /// The endpoint answered something that is no answer.
        public static let malformed = Code(rawValue: "malformed-answer")
        /// The answer has no text.
        public static let empty = Code(rawValue: "empty-answer")
        /// What the user allows to be spent is spent.
        public static let limit = Code(rawValue: "limit")
        /// The teacher is not set up as it should be, such as a key that is missing.
        public static let configuration = Code(rawValue: "configuration")
        public static let other = Code(rawValue: "other")
    }

    public let code: Code
    /// The question that the failure is about; nil when it is about the teacher as a whole.
    public let questionID: String?
    public let message: String

    public init(_ code: Code, _ message: String, questionID: String? = nil) {
        self.code = code
        self.message = message
        self.questionID = questionID
    }

    public static let cancelled = TeacherError(.cancelled, "the run was cancelled")

    /// The reason under which the question is dropped and counted; nil when the whole stage has failed.
    public var dropReason: String? { code == .noRecording || code == .empty ? code.rawValue : nil }

    /// Whether the stage cannot go on.
    public var stopsStage: Bool { dropReason == nil }

    public var description: String { questionID.map { "question \"\($0)\": \(message)" } ?? message }
}
