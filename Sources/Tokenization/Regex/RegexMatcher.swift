/// Finds the matches of a regular expression in a text, with the priorities of a backtracking search.
///
/// Whether the search succeeds from an instruction and a place does not depend on how it came there. So each choice is
/// tried once at each place: one that has failed is remembered, and one that is under way again without having moved
/// is an empty round of a loop. What an atomic group matched is remembered too, at every few places. That bounds the
/// time by the size of the expression times the length of the text, for all matches together, and the memory by that
/// size times the length of the longest attempt.
struct RegexMatcher {
    private let program: RegexProgram
    private let reader: ScalarReader
    private let range: Range<Int>
    /// For each place from `base` on, as far as the search has come, a bit for each choice: failed, or under way.
    private var closed: [UInt64] = []
    private var base: Int
    private let rowWords: Int
    private var stack: [Frame] = []
    /// Where an atomic group ended that was at a choice at a place.
    private var atomicEnds: [Choice: Int] = [:]

    private struct Choice: Hashable {
        let number: Int
        let place: Int
    }

    private enum Frame {
        case resume(instruction: Int, place: Int)
        /// All ways on from a choice have failed when this comes up.
        case failed(Choice)
    }

    init(_ program: RegexProgram, _ reader: ScalarReader, _ range: Range<Int>) {
        (self.program, self.reader, self.range) = (program, reader, range)
        base = range.lowerBound
        rowWords = (program.splitCount + 63) / 64
    }

    /// Calls `body` with the matches and what lies between them, in order.
    mutating func forEachPiece(_ body: (_ piece: Range<Int>, _ isMatch: Bool) -> Void) {
        var (textStart, start) = (range.lowerBound, range.lowerBound)
        var lastEnd = -1
        while start <= range.upperBound {
            forget(before: start)
            if let end = match(from: 0, at: start, isAtomic: false), end > start || end != lastEnd {
                if textStart < start { body(textStart..<start, false) }
                body(start..<end, true)
                (textStart, lastEnd) = (end, end)
                if end > start {
                    start = end
                    continue
                }
            }
            guard start < range.upperBound else { break }
            start = reader.scalar(at: start).end
        }
        if textStart < range.upperBound { body(textStart..<range.upperBound, false) }
    }

    /// Where the match that begins here ends; nil when none does.
    private mutating func match(from first: Int, at start: Int, isAtomic: Bool) -> Int? {
        let base = stack.count
        var (instruction, place) = (first, start)
        while true {
            var goesOn = true
            switch program.instructions[instruction] {
            case .take(let set):
                if place < range.upperBound {
                    let (value, end) = reader.scalar(at: place)
                    goesOn = set.contains(value)
                    place = end
                } else {
                    goesOn = false
                }
                instruction += 1
            case .split(let preferred, let other, let number):
                let choice = Choice(number: number, place: place)
                if isAtomic, let end = atomicEnds[choice] {
                    succeed(above: base, endingAt: end)
                    return end
                }
                goesOn = close(choice)
                if goesOn {
                    stack.append(.failed(choice))
                    stack.append(.resume(instruction: other, place: place))
                    instruction = preferred
                }
            case .jump(let target): instruction = target
            case .atomic(let end):
                if let inner = match(from: instruction + 1, at: place, isAtomic: true) {
                    (instruction, place) = (end, inner)
                } else {
                    goesOn = false
                }
            case .look(let set, let isBehind, let isNegated):
                goesOn = (neighbour(of: place, isBehind: isBehind).map(set.contains) ?? false) != isNegated
                instruction += 1
            case .lineStart:
                goesOn = place == range.lowerBound || reader.bytes[place - 1] == 0x0A
                instruction += 1
            case .lineEnd:
                goesOn = place == range.upperBound || reader.bytes[place] == 0x0A
                instruction += 1
            case .textStart:
                goesOn = place == range.lowerBound
                instruction += 1
            case .textEnd:
                goesOn = place == range.upperBound
                instruction += 1
            case .match:
                if isAtomic { succeed(above: base, endingAt: place) } else { reopen(above: base) }
                return place
            }
            if !goesOn {
                guard let next = nextFrame(above: base) else { return nil }
                (instruction, place) = next
            }
        }
    }

    private mutating func nextFrame(above base: Int) -> (Int, Int)? {
        while stack.count > base {
            if case .resume(let instruction, let place) = stack.removeLast() { return (instruction, place) }
        }
        return nil
    }

    /// After a match, the choices under way have not failed.
    private mutating func reopen(above base: Int) {
        while stack.count > base {
            if case .failed(let choice) = stack.removeLast() { open(choice) }
        }
    }

    /// An atomic group has matched: every choice under way leads to the same end. One of each 16 bytes is remembered.
    private mutating func succeed(above base: Int, endingAt end: Int) {
        var remembered = -1
        while stack.count > base {
            guard case .failed(let choice) = stack.removeLast() else { continue }
            open(choice)
            if choice.place >> 4 != remembered {
                remembered = choice.place >> 4
                atomicEnds[choice] = end
            }
        }
    }

    // MARK: Memory

    /// Marks a choice as under way; false when it is closed.
    private mutating func close(_ choice: Choice) -> Bool {
        let word = (choice.place - base) * rowWords + choice.number >> 6
        while closed.count <= word { closed.append(0) }
        let bit: UInt64 = 1 << UInt64(choice.number & 63)
        guard closed[word] & bit == 0 else { return false }
        closed[word] |= bit
        return true
    }

    private mutating func open(_ choice: Choice) {
        closed[(choice.place - base) * rowWords + choice.number >> 6] &= ~(1 << UInt64(choice.number & 63))
    }

    /// The search never comes back to places before its start.
    private mutating func forget(before start: Int) {
        let passed = (start - base) * rowWords
        if passed >= closed.count {
            closed.removeAll(keepingCapacity: true)
            if !atomicEnds.isEmpty { atomicEnds.removeAll(keepingCapacity: true) }
            base = start
        } else if passed > closed.count / 2, passed > 1 << 12 {
            closed.removeFirst(passed)
            base = start
        }
    }

    private func neighbour(of place: Int, isBehind: Bool) -> UInt32? {
        guard isBehind else { return place < range.upperBound ? reader.scalar(at: place).value : nil }
        var start = place
        guard start > range.lowerBound else { return nil }
        repeat { start -= 1 } while reader.bytes[start] & 0xC0 == 0x80
        return reader.scalar(at: start).value
    }
}
