import Dispatch
import Synchronization

/// Transforms a sequence of pieces on all cores and consumes the results in order, with bounded memory.
///
/// The caller's thread produces, and where no slot is free it transforms instead of waiting: so all cores have work even
/// where Dispatch lends one thread less than there are cores, because the caller's own is one of its. A piece occupies
/// one of the slots from its production until it is consumed, so memory is bounded by the slots whatever the number of
/// pieces.
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
        production: while true {
            switch work.nextForCaller() {
            case .produce(let slot):
                do {
                    guard try produce(slot) else { break production }
                } catch {
                    work.fail(error)
                    break production
                }
                work.start(slot)
            case .transform(let piece): work.finish(piece)
            case .wait: work.progress.wait()
            case .stop: break production
            }
        }
        while let piece = work.takeReady() { work.finish(piece) }
        work.group.wait()
        if let error = work.error { throw error }
    }

    /// A slot that holds the piece of this number.
    private struct Piece {
        let number: Int
        let slot: Slot
    }

    private enum Step {
        case produce(Slot)
        case transform(Piece)
        case wait
        case stop
    }

    /// What the threads of one run share.
    ///
    /// Unchecked: a slot is touched by one thread at a time (the producer, then one transform, then one consumer), and
    /// everything else lies behind the mutex.
    private final class Work: @unchecked Sendable {
        /// Unchecked: a slot is the property of whoever took it out.
        struct State: @unchecked Sendable {
            var idle: [Slot]
            /// Produced and not yet taken by any thread, in order.
            var ready: [Piece] = []
            var produced = 0
            var consumed = 0
            var transformed: [Int: Slot] = [:]
            var consuming = false
            var callerWaits = false
            var error: (any Error)?
        }

        let group = DispatchGroup()
        /// Signalled when a slot has become idle and the caller waits for one.
        let progress = DispatchSemaphore(value: 0)
        private let state: Mutex<State>
        private let transform: (Slot) throws -> Void
        private let consume: (Slot) throws -> Void

        init(slots: [Slot], transform: @escaping (Slot) throws -> Void, consume: @escaping (Slot) throws -> Void) {
            state = Mutex(State(idle: slots))
            self.transform = transform
            self.consume = consume
        }

        var error: (any Error)? { state.withLock { $0.error } }

        func fail(_ error: any Error) { state.withLock { if $0.error == nil { $0.error = error } } }

        func nextForCaller() -> Step {
            state.withLock { state in
                if state.error != nil { return Unshared<Step>(.stop) }
                if let slot = state.idle.popLast() { return Unshared<Step>(.produce(slot)) }
                if !state.ready.isEmpty { return Unshared<Step>(.transform(state.ready.removeFirst())) }
                state.callerWaits = true
                return Unshared<Step>(.wait)
            }.value
        }

        /// The oldest piece that nobody transforms yet.
        func takeReady() -> Piece? {
            state.withLock { state in
                Unshared<Piece?>(state.ready.isEmpty ? nil : state.ready.removeFirst())
            }.value
        }

        func start(_ slot: Slot) {
            let slot = Unshared(slot)
            state.withLock { state in
                state.ready.append(Piece(number: state.produced, slot: slot.value))
                state.produced += 1
            }
            // There may be nothing left to take: then the caller was faster.
            DispatchQueue.global().async(group: group) { if let piece = self.takeReady() { self.finish(piece) } }
        }

        func finish(_ piece: Piece) {
            attempt { try transform(piece.slot) }
            let piece = Unshared(piece)
            state.withLock { $0.transformed[piece.value.number] = piece.value.slot }
            while let next = nextToConsume() {
                attempt { try consume(next) }
                let next = Unshared(next)
                let callerWaits = state.withLock { state in
                    state.idle.append(next.value)
                    state.consuming = false
                    defer { state.callerWaits = false }
                    return state.callerWaits
                }
                if callerWaits { progress.signal() }
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
            if error != nil { return }
            do {
                try step()
            } catch {
                fail(error)
            }
        }
    }
}

/// Carries a value from one thread to the next that owns it.
private struct Unshared<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
