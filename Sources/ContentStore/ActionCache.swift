public import CanonicalJSON

/// What came of an action, as a cache keeps it.
public struct ActionResult: Sendable, Equatable {
    /// What the key was computed from, so that a later plan can say which field changed.
    public let preimage: JSON
    /// The outputs, in whatever form the scheduler gives them.
    public let outputs: JSON
    /// Who computed it, when, and how long it took: never part of a key.
    public let provenance: JSON
    /// Every blob the outputs need, manifests included: sorted, each once.
    public let references: [Digest]

    public init(preimage: JSON, outputs: JSON, provenance: JSON = .null, references: [Digest]) {
        self.preimage = preimage
        self.outputs = outputs
        self.provenance = provenance
        self.references = Digest.sortedSet(references)
    }
}

/// What an action cache says about a key.
public enum ActionLookup: Sendable, Equatable {
    /// The outputs of a result whose blobs are all there.
    case hit(outputs: JSON)
    /// Never ran, as far as this cache knows.
    case miss
    /// Ran, but these of its blobs are gone. What it made is still known by its digests.
    case lost(outputs: JSON, missing: [Digest])
    /// Ran, but the result cannot be used, and why. It has been put aside.
    case unusable(reason: String)

    /// The outputs of a hit.
    public var outputs: JSON? { if case .hit(let outputs) = self { outputs } else { nil } }
}

/// Results by action key: the second memory. All methods may be called from several threads at once.
public protocol ActionCache: Sendable {
    /// What is known of each key, in the order given. A result whose blobs are missing is not a hit.
    ///
    /// - Throws: ``ContentStoreError``: `newerFormat` for a result written by a newer Retort, or `system`.
    func lookup(_ keys: [Digest]) throws -> [ActionLookup]

    /// The whole result of a key, with its pre-image and provenance, whether or not its blobs are there.
    ///
    /// - Throws: as ``lookup(_:)-([Digest])``, and `malformed` for a result that cannot be used.
    func result(for key: Digest) throws -> ActionResult?

    /// Keeps a result. Everything it references has to be in the blob store before.
    ///
    /// - Throws: ``ContentStoreError``: `missingBlob` where a referenced blob is not in the store, or `system`.
    func publish(_ result: ActionResult, for key: Digest) throws
}

extension ActionCache {
    /// What is known of one key; many are cheaper at once.
    public func lookup(_ key: Digest) throws -> ActionLookup { try lookup([key])[0] }
}
