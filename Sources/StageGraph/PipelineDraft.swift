import CanonicalJSON

/// A value with the place it was written.
public struct Located<Value: Sendable>: Sendable {
    public var value: Value
    public var location: SourceLocation?

    public init(_ value: Value, at location: SourceLocation? = nil) {
        self.value = value
        self.location = location
    }
}

/// A parameter value as written: JSON's shapes, each with its place.
public indirect enum DraftValue: Sendable {
    /// Null, a boolean, a number or a string.
    case scalar(JSON)
    case list([Located<DraftValue>])
    case mapping([(key: Located<String>, value: Located<DraftValue>)])
    /// A value that stands somewhere else: in a pipeline parameter, or on the command line.
    case substituted(DraftValue, from: ValueOrigin)
    /// A value that could not be read. Its mistake is reported already, so validation is silent about it.
    case unreadable
}

/// Where a substituted value was written.
public struct ValueOrigin: Hashable, Sendable {
    /// In the words of error messages: "--set data=../data" or "${data}".
    public var description: String
    /// What a relative path in the value is relative to; nil for the pipeline's base directory.
    public var baseDirectory: String?

    public init(_ description: String, baseDirectory: String? = nil) {
        self.description = description
        self.baseDirectory = baseDirectory
    }
}

/// What a reader of drafts could not make sense of in a stage.
package struct UnreadParts: Sendable {
    /// The stage type: nothing but the stage's name is known.
    package var uses = false
    /// Some parameters may be missing from the draft.
    package var parameters = false
    /// Some inputs may be missing from the draft.
    package var inputs = false

    package init() {}
}

/// A stage as written, before anything is checked.
public struct StageDraft: Sendable {
    public var name: Located<String>
    public var uses: Located<String>
    /// Role to references as written (`stage` or `stage.output`); more than one for a list.
    public var inputs: [(role: Located<String>, references: [Located<String>])]
    public var parameters: [(key: Located<String>, value: Located<DraftValue>)]
    /// The parts that could not be read. Their mistakes are reported already, so validation is silent about them.
    package var unread = UnreadParts()

    public init(
        name: Located<String>, uses: Located<String>,
        inputs: [(role: Located<String>, references: [Located<String>])] = [],
        parameters: [(key: Located<String>, value: Located<DraftValue>)] = []
    ) {
        self.name = name
        self.uses = uses
        self.inputs = inputs
        self.parameters = parameters
    }
}

/// A pipeline as written. `validated(against:)` turns it into a ``Pipeline`` or lists everything that is wrong.
public struct PipelineDraft: Sendable {
    public var name: String
    /// What paths in parameters are relative to.
    public var baseDirectory: String
    public var stages: [StageDraft]

    public init(name: String, baseDirectory: String, stages: [StageDraft]) {
        self.name = name
        self.baseDirectory = baseDirectory
        self.stages = stages
    }
}
