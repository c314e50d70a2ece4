/// Which sample of which prompt is written in which slot of the key-value cache, and when: a value, without a model.
///
/// Samples start in the order of the prompts. The first sample of a prompt computes the prompt; the others start one
/// step later at the earliest and take the computed prompt over from a slot that holds it, which is always there:
/// slots are only taken for the next prompt once all samples of this one have started.
struct SlotSchedule {
    /// A sample that starts.
    struct Start: Equatable {
        let slot: Int
        let request: Int
        let sample: Int
        /// The slot whose cache holds the prompt already; nil where the prompt is to be computed.
        let source: Int?
    }

    private let promptLengths: [Int]
    private let samples: [Int]
    private var isFree: [Bool]
    /// The request whose whole prompt lies in the slot's cache.
    private var holds: [Int?]
    private var computing: [(slot: Int, request: Int)] = []
    private var next = (request: 0, sample: 0)

    init(promptLengths: [Int], samples: [Int], slots: Int) {
        self.promptLengths = promptLengths
        self.samples = samples
        isFree = [Bool](repeating: true, count: slots)
        holds = [Int?](repeating: nil, count: slots)
    }

    /// Fills free slots for the next step.
    ///
    /// - Parameter budget: prompt tokens to compute in the step, at most; one prompt is computed in any case where
    ///   nothing else goes on.
    mutating func fill(budget: Int) -> [Start] {
        for (slot, request) in computing { holds[slot] = request }
        computing = []
        var starts: [Start] = []
        var rest = budget
        for slot in isFree.indices where isFree[slot] {
            guard next.request < promptLengths.count else { break }
            var source: Int?
            if next.sample > 0 {
                source = holds[slot] == next.request ? slot : holds.firstIndex(of: next.request)
                guard source != nil else { break }
                holds[slot] = next.request
            } else {
                let length = promptLengths[next.request]
                let isIdle = starts.isEmpty && !isFree.contains(false)
                guard length <= rest || isIdle else { break }
                rest -= length
                holds[slot] = nil
                computing.append((slot, next.request))
            }
            isFree[slot] = false
            starts.append(Start(slot: slot, request: next.request, sample: next.sample, source: source))
            next.sample += 1
            if next.sample == samples[next.request] { next = (next.request + 1, 0) }
        }
        return starts
    }

    /// The sample in a slot has ended.
    mutating func free(_ slot: Int) { isFree[slot] = true }
}
