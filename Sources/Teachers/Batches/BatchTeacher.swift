/// A request on its way into a batch, with the name under which its answer comes back.
public struct BatchQuestion: Sendable {
    public var key: RequestKey
    public var request: TeacherRequest

    public init(key: RequestKey, request: TeacherRequest) {
        self.key = key
        self.request = request
    }

    /// `custom_id`: answers are matched by it alone, never by their place.
    public var customID: String { key.description }
}

/// A teacher that is asked many questions at once and answers hours later.
///
/// It makes durable in the ledger what it has to know after a crash: which batches it began, and each answer before it
/// hands it out.
public protocol BatchTeacher: Teacher {
    /// Answers all questions; those it has no answer for are missing from the result or failures.
    ///
    /// - Parameter replacing: whether new answers take the place of known ones.
    func respond(
        to questions: [BatchQuestion], ledger: ResponseLedger, origin: LedgerEntry.Origin, replacing: Bool
    ) async -> [RequestKey: Result<TeacherResponse, TeacherError>]
}
