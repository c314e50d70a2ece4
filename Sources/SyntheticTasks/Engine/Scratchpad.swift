import Reasoning

/// What a family's solver writes its chain of thought on.
///
/// The solver states each value that it works out through ``decide(_:or:write:)``, together with the mistakes that
/// are plausible at that place. Without a slip the pad takes the right value every time. With a slip it takes one of
/// the mistaken values at one place, marks the bytes in which it is written, and lets the solver go on from there:
/// so the consequences of a mistake are worked out by the same code as the right answer.
public struct Scratchpad: Sendable {
    /// The text so far.
    public private(set) var text = ""
    /// The mistake that was made, if one was.
    public private(set) var mistakes: [Mistake] = []
    /// Every mistake that could have been made, in the order of writing.
    public private(set) var opportunities: [Slip] = []
    /// Where each decided value is written, as UTF-8 byte offsets: element n is that of ``Slip/place`` n.
    public private(set) var values: [Range<Int>] = []

    private let wording: Wording
    private let slip: Slip?

    /// - Parameters:
    ///   - wording: fixes the choice among equivalent phrases.
    ///   - slip: the mistake to make, one of the ``opportunities`` of an earlier run on the same problem.
    public init(wording: Wording, slip: Slip? = nil) {
        self.wording = wording
        self.slip = slip
    }

    /// Appends text as it stands.
    public mutating func write(_ piece: String) { text += piece }

    /// One of several phrases that mean the same. One name gets one phrase throughout a chain of thought.
    public func phrase(_ name: String, _ variants: [String]) -> String {
        variants[wording.choice(name, among: variants.count)]
    }

    /// Writes and returns a value: the right one, or the mistaken one if the slip is at this place.
    ///
    /// - Parameters:
    ///   - right: the value that is correct given what was written before.
    ///   - mistaken: plausible wrong values; those equal to `right` are ignored.
    ///   - write: writes a value. What it appends is the span of the mistake.
    @discardableResult
    public mutating func decide<Value: Equatable>(
        _ right: Value, or mistaken: [MistakenValue<Value>], write: (inout Scratchpad, Value) -> Void
    ) -> Value {
        // The place is taken before the value is written, so that values decided while writing come behind it.
        let place = values.count
        values.append(0..<0)
        var taken: MistakenValue<Value>?
        for (number, option) in mistaken.enumerated() where option.value != right {
            let candidate = Slip(
                place: place, number: number, kind: option.kind, isLastResort: option.isLastResort)
            opportunities.append(candidate)
            if candidate == slip { taken = option }
        }
        let start = text.utf8.count
        let value = taken?.value ?? right
        write(&self, value)
        let blanks = text.utf8.dropFirst(start).prefix { $0 == UInt8(ascii: " ") }.count
        values[place] = start + blanks..<text.utf8.count
        if let taken { mistakes.append(Mistake(kind: taken.kind, span: values[place])) }
        return value
    }
}

/// A wrong value that a reasoner might arrive at, and what kind of mistake that would be.
public struct MistakenValue<Value: Equatable> {
    let value: Value
    let kind: Mistake.Kind
    let isLastResort: Bool

    /// - Parameter isLastResort: made only when no other mistake on the problem changes its answer.
    public static func mistake(_ kind: Mistake.Kind, _ value: Value, isLastResort: Bool = false) -> Self {
        MistakenValue(value: value, kind: kind, isLastResort: isLastResort)
    }
}

/// One mistake at one place of a solution.
public struct Slip: Sendable, Hashable {
    /// Number of the decision, from 0 in the order of writing.
    public let place: Int
    /// Number among the mistaken values offered there.
    public let number: Int
    public let kind: Mistake.Kind
    let isLastResort: Bool
}

/// Fixes the choice among equivalent phrases in a chain of thought.
public struct Wording: Sendable, Hashable {
    private let seed: UInt64

    /// The wording that belongs to a question: the same for right and wrong chains of thought on it.
    ///
    /// - Parameter variant: numbers further wordings of the same question, from 0.
    public init(question: String, variant: Int = 0) {
        seed = StableHash.of(UInt64(bitPattern: Int64(variant)), "wording", question)
    }

    func choice(_ name: String, among count: Int) -> Int {
        Int(StableHash.of(seed, name).multipliedFullWidth(by: UInt64(count)).high)
    }
}
