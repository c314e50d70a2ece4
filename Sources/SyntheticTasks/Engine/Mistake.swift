/// The pattern of a reasoning mistake (EDIT, the mistake-pattern prompt).
public enum MistakeKind: String, Sendable, Hashable, CaseIterable {
    /// A step does not follow from the ones before it or from the question.
    case logical
    /// A fact or rule about the world, the language or the notation is wrong.
    case knowledge
    /// The step is the right one and its result is worked out wrongly.
    case calculation
}

/// A mistake at a known place of a chain of thought.
public struct Mistake: Sendable, Hashable {
    public let kind: MistakeKind
    /// The bytes of the UTF-8 text in which the mistake is made. Its consequences lie behind it.
    public let span: Range<Int>

    public init(kind: MistakeKind, span: Range<Int>) {
        self.kind = kind
        self.span = span
    }
}
