/// One batch from the intention to its answers: a pure state machine.
///
/// Each step's effect happens outside. The intention is durable before anything is sent, and carries a token that the
/// service keeps with the batch; so after a crash at any moment a batch that was created is found again, and none is
/// created twice.
public struct BatchJob: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        /// Durable, nothing sent.
        case intended
        /// Read from the ledger after a restart: it may or may not have been created.
        case uncertain
        case uploaded(file: String)
        case created(batch: String)
        case ended(BatchStatus)
    }

    public enum Step: Sendable, Equatable {
        /// Ask the service for a batch with the token.
        case find
        case upload
        case create(file: String)
        case poll(batch: String)
        /// Read the answers of these files.
        case collect(files: [String])
        /// The service gave the batch up.
        case giveUp(String)
    }

    public let token: String
    public private(set) var state: State

    public init(token: String, state: State = .intended) {
        self.token = token
        self.state = state
    }

    public var next: Step {
        switch state {
        case .intended: return .upload
        case .uncertain: return .find
        case .uploaded(let file): return .create(file: file)
        case .created(let batch): return .poll(batch: batch)
        case .ended(let status):
            let files = [status.outputFile, status.errorFile].compactMap(\.self)
            return files.isEmpty
                ? .giveUp(status.problem ?? "it ended as \(status.state.rawValue)") : .collect(files: files)
        }
    }

    /// What the service said to ``Step/find``.
    public mutating func found(_ status: BatchStatus?) {
        guard let status else {
            state = .intended
            return
        }
        saw(status)
    }

    public mutating func uploaded(file: String) { state = .uploaded(file: file) }

    /// What the service said to ``Step/create(file:)`` and ``Step/poll(batch:)``.
    public mutating func saw(_ status: BatchStatus) {
        state = status.state.isFinal ? .ended(status) : .created(batch: status.id)
    }
}

/// A batch as the service describes it.
public struct BatchStatus: Sendable, Equatable {
    /// The words of the OpenAI API.
    public enum State: String, Sendable {
        case validating, failed
        case inProgress = "in_progress"
        case finalizing, completed, expired, cancelling, cancelled

        public var isFinal: Bool {
            switch self {
            case .failed, .completed, .expired, .cancelled: true
            case .validating, .inProgress, .finalizing, .cancelling: false
            }
        }
    }

    public var id: String
    public var state: State
    public var outputFile: String?
    public var errorFile: String?
    /// What the service says about a failure.
    public var problem: String?

    public init(
        id: String, state: State, outputFile: String? = nil, errorFile: String? = nil, problem: String? = nil
    ) {
        self.id = id
        self.state = state
        self.outputFile = outputFile
        self.errorFile = errorFile
        self.problem = problem
    }
}
