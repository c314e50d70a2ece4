import Dispatch
import Synchronization

/// Transforms a sequence of pieces on all cores and consumes the results in order, with bounded memory.
///
/// The caller's thread produces. A piece occupies one of `width` slots from its production until it is consumed, so
/// memory is bounded by the slots whatever the number of pieces.
struct OrderedPipeline<Slot: AnyObject> {
    let slots: [Slot]

    /// - Parameters:
    ///   - produce: Fills a slot with the next piece; false at the end. Called in order, on the caller's thread.
    ///   - transform: Called on any thread, several at once, each on a slot of its own.
    ///   - consume: Called in the order of production, one at a time, on any thread.
    /// - Throws: The first error of any of the three; what has not started by then does not start.
    func run(
        produce: (Slot) throws -> Bool, transform: @escaping (Slot) throws -> Void,
        consume: @escaping (Slot) throws -> Void
    ) throws {
        let work = Work(slots: slots, transform: transform, consume: consume)
        var production: (any Error)?
        do {
            while true {
                work.free.wait()
                if work.failed { break }
                let slot = work.takeSlot()
                guard try produce(slot) else { break }
                work.start(slot)
            }
        } catch {
            production = error
        }
        work.group.wait()
        if let error = production ?? work.error { throw error }
    }

    /// What the threads of one run share.
    ///
    /// Unchecked: a slot is touched by one thread at a time (the producer, then one transform, then one consumer), and
    /// everything else lies behind the mutex.
    private final class Work: @unchecked Sendable {
        /// Unchecked: a slot is the property of whoever took it out.
        struct State: @unchecked Sendable {
            var idle: [Slot]
            var produced = 0
            var consumed = 0
            var transformed: [Int: Slot] = [:]
            var consuming = false
            var error: (any Error)?
        }

        let group = DispatchGroup()
        let free: DispatchSemaphore
        private let state: Mutex<State>
        private let transform: (Slot) throws -> Void
        private let consume: (Slot) throws -> Void

        init(slots: [Slot], transform: @escaping (Slot) throws -> Void, consume: @escaping (Slot) throws -> Void) {
            // A semaphore must not end below its first value, so it starts at zero.
            free = DispatchSemaphore(value: 0)
            for _ in slots { free.signal() }
            state = Mutex(State(idle: slots))
            self.transform = transform
            self.consume = consume
        }

        var error: (any Error)? { state.withLock { $0.error } }
        var failed: Bool { state.withLock { $0.error != nil } }

        /// A slot, after ``free`` said that there is one.
        func takeSlot() -> Slot { state.withLock { Unshared($0.idle.removeLast()) }.value }

        func start(_ slot: Slot) {
            let number = state.withLock { state in
                state.produced += 1
                return state.produced - 1
            }
            let slot = Unshared(slot)
            DispatchQueue.global().async(group: group) { self.finish(slot.value, number) }
        }

        private func finish(_ slot: Slot, _ number: Int) {
            attempt { try transform(slot) }
            let slot = Unshared(slot)
            state.withLock { $0.transformed[number] = slot.value }
            while let next = nextToConsume() {
                attempt { try consume(next) }
                let next = Unshared(next)
                state.withLock { state in
                    state.idle.append(next.value)
                    state.consuming = false
                }
                free.signal()
            }
        }

        private func nextToConsume() -> Slot? {
            state.withLock { state in
                guard !state.consuming, let slot = state.transformed.removeValue(forKey: state.consumed) else {
                    return Unshared<Slot?>(nil)
                }
                state.consumed += 1
                state.consuming = true
                return Unshared(slot)
            }.value
        }

        private func attempt(_ step: () throws -> Void) {
            if failed { return }
            do {
                try step()
            } catch {
                state.withLock { if $0.error == nil { $0.error = error } }
            }
        }
    }
}

/// Carries a value from one thread to the next that owns it.
private struct Unshared<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
