import Synchronization
import Testing

@testable import ContentStore

@Suite struct OrderedPipelineTests {
    private struct Failure: Error, Equatable { let step: String }

    private final class Slot {
        var number = -1
        var square = -1
    }

    /// What the threads of one test note.
    private struct Notes {
        var inFlight = 0
        var most = 0
        var consumed: [Int] = []
    }

    private func slots(_ count: Int) -> [Slot] { (0..<count).map { _ in Slot() } }

    @Test(arguments: [1, 2, 6]) func resultsComeInOrderAndNoMorePiecesThanSlotsAreInFlight(width: Int) throws {
        let notes = Mutex(Notes())
        var next = 0
        try OrderedPipeline(slots: slots(width)).run { slot in
            guard next < 500 else { return false }
            slot.number = next
            next += 1
            notes.withLock { notes in
                notes.inFlight += 1
                notes.most = max(notes.most, notes.inFlight)
            }
            return true
        } transform: { slot in
            // Later pieces are done before earlier ones now and then.
            var value = slot.number
            for _ in 0..<(slot.number % 7) * 300 { value = (value &* 31 &+ 7) & 0xFFFF }
            slot.square = slot.number * slot.number + value - value
        } consume: { slot in
            notes.withLock { notes in
                notes.inFlight -= 1
                notes.consumed.append(slot.square)
            }
        }
        let end = notes.withLock { $0 }
        #expect(end.consumed == (0..<500).map { $0 * $0 })
        #expect(end.most <= width)
    }

    @Test(arguments: ["produce", "transform", "consume"])
    func theErrorOfAnyStepEndsTheRunAndNothingBehindItIsConsumed(failing: String) {
        let consumed = Mutex<[Int]>([])
        var next = 0
        #expect(throws: Failure(step: failing)) {
            try OrderedPipeline(slots: slots(3)).run { slot in
                if failing == "produce", next == 40 { throw Failure(step: failing) }
                slot.number = next
                next += 1
                return true
            } transform: { slot in
                if failing == "transform", slot.number == 40 { throw Failure(step: failing) }
            } consume: { slot in
                if failing == "consume", slot.number == 40 { throw Failure(step: failing) }
                consumed.withLock { $0.append(slot.number) }
            }
        }
        let numbers = consumed.withLock { $0 }
        #expect(numbers == Array(0..<numbers.count))
        #expect(numbers.count <= 40)
    }
}
