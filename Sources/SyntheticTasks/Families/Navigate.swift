import Reasoning

/// Walking on a grid: `Always face forward. Take 3 steps left. … Are you back at the start?`
///
/// Solved with running coordinates. The start is called x 10, y 10, so that short walks need no negative numbers.
public struct Navigate: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        /// Without this, steps go the way the walker faces, and the walker turns.
        var alwaysFacesForward: Bool
        var instructions: [Instruction]
    }

    enum Instruction: Sendable, Equatable {
        /// Direction is only given when always facing forward; otherwise it is `.forward`.
        case steps(Int, Direction)
        case turn(Turn)
    }

    enum Direction: String, Sendable, CaseIterable {
        case forward, right, backward, left

        /// Change of x and y by one step for someone who faces forward, along y.
        var step: (x: Int, y: Int) {
            switch self {
            case .forward: (0, 1)
            case .right: (1, 0)
            case .backward: (0, -1)
            case .left: (-1, 0)
            }
        }

        func turned(by quarters: Int) -> Direction {
            let all = Self.allCases
            return all[((all.firstIndex(of: self) ?? 0) + quarters) % 4]
        }

        var compass: String {
            switch self {
            case .forward: "north"
            case .right: "east"
            case .backward: "south"
            case .left: "west"
            }
        }
    }

    enum Turn: String, Sendable, CaseIterable {
        case right, around, left

        var quarters: Int {
            switch self {
            case .right: 1
            case .around: 2
            case .left: 3
            }
        }
    }

    public var name: String { "navigate" }
    public var summary: String { "Follow a walk and say whether it ends where it started." }

    private static let origin = 10
    private static let facing = "Always face forward."
    private static let ending = "Are you back at the start?"

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let moves = generator.integer(in: [4...4, 5...6, 6...7, 9...10][level - 1])
        let longest = [5, 5, 5, 6][level - 1]
        let forward = level <= 2
        let isClosed = generator.chance(0.5)
        while true {
            var walk = closedWalk(moves, longest: longest, using: &generator)
            if !isClosed { spoil(&walk, longest: longest, using: &generator) }
            let problem = Problem(
                alwaysFacesForward: forward, instructions: forward ? walk : withTurns(walk, using: &generator))
            if returns(problem) == isClosed { return problem }
        }
    }

    /// Steps in shuffled order that lead back to the start.
    private func closedWalk(
        _ moves: Int, longest: Int, using generator: inout SeededGenerator
    ) -> [Instruction] {
        while true {
            var walk = (1..<moves).map { _ in
                (generator.integer(in: 1...longest), generator.element(of: Direction.allCases))
            }
            let x = walk.reduce(0) { $0 + $1.0 * $1.1.step.x }
            let y = walk.reduce(0) { $0 + $1.0 * $1.1.step.y }
            guard (x == 0) != (y == 0), abs(x + y) <= longest else { continue }
            let back: Direction = x > 0 ? .left : x < 0 ? .right : y > 0 ? .backward : .forward
            walk.append((abs(x + y), back))
            let shuffled = generator.shuffled(walk)
            // Two steps in one direction after each other would be one instruction.
            guard zip(shuffled, shuffled.dropFirst()).allSatisfy({ $0.1 != $1.1 }) else { continue }
            return shuffled.map { .steps($0.0, $0.1) }
        }
    }

    /// Changes one instruction, so that the end lies off the start.
    private func spoil(_ walk: inout [Instruction], longest: Int, using generator: inout SeededGenerator) {
        let index = generator.below(walk.count)
        guard case .steps(let count, let direction) = walk[index] else { return }
        if generator.chance(0.5) {
            walk[index] = .steps(count, direction.turned(by: 2))
        } else {
            walk[index] = .steps(count == 1 || generator.chance(0.5) ? count + 1 : count - 1, direction)
        }
    }

    /// The same walk for someone who turns before each move.
    private func withTurns(_ walk: [Instruction], using generator: inout SeededGenerator) -> [Instruction] {
        var facing = Direction.forward
        var result: [Instruction] = []
        for case .steps(let count, let direction) in walk {
            if let turn = Turn.allCases.first(where: { facing.turned(by: $0.quarters) == direction }) {
                result.append(.turn(turn))
            }
            facing = direction
            result.append(.steps(count, .forward))
        }
        return result
    }

    private func returns(_ problem: Problem) -> Bool {
        var (x, y) = (0, 0)
        var facing = Direction.forward
        for instruction in problem.instructions {
            switch instruction {
            case .turn(let turn): facing = facing.turned(by: turn.quarters)
            case .steps(let count, let direction):
                let step = (problem.alwaysFacesForward ? direction : facing).step
                x += count * step.x
                y += count * step.y
            }
        }
        return x == 0 && y == 0
    }

    public func question(for problem: Problem) -> String {
        var parts = problem.alwaysFacesForward ? [Self.facing] : []
        for instruction in problem.instructions {
            switch instruction {
            case .turn(let turn): parts.append("Turn \(turn.rawValue).")
            case .steps(let count, let direction):
                let way = problem.alwaysFacesForward ? " \(direction.rawValue)" : ""
                parts.append("Take \(count) \(count == 1 ? "step" : "steps")\(way).")
            }
        }
        return (parts + [Self.ending]).joined(separator: " ") + "\nOptions:\n- Yes\n- No"
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        let forward = scanner.accept(Self.facing)
        var instructions: [Instruction] = []
        while !scanner.accept(Self.ending) {
            if scanner.accept("Turn") {
                guard !forward, let word = scanner.word(), let turn = Turn(rawValue: word) else { return nil }
                instructions.append(.turn(turn))
            } else {
                guard scanner.accept("Take"), let count = scanner.number(), count <= 1_000_000,
                    scanner.accept("steps") || scanner.accept("step")
                else { return nil }
                let direction = forward ? scanner.word().flatMap(Direction.init) : .forward
                guard let direction else { return nil }
                instructions.append(.steps(count, direction))
            }
            guard scanner.accept(".") else { return nil }
        }
        guard scanner.isAtEnd || (scanner.accept("Options: - Yes - No") && scanner.isAtEnd) else { return nil }
        return Problem(alwaysFacesForward: forward, instructions: instructions)
    }

    private struct Place: Equatable {
        var x = Navigate.origin
        var y = Navigate.origin

        func moved(_ count: Int, _ direction: Direction) -> Place {
            Place(x: x + count * direction.step.x, y: y + count * direction.step.y)
        }

        var text: String { "x \(x), y \(y)" }
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        var place = Place()
        var facing = Direction.forward
        pad.write(pad.phrase("opening", ["Start at ", "The start is ", "Begin at "]) + place.text + ".")
        for instruction in problem.instructions {
            switch instruction {
            case .turn(let turn):
                let right = facing.turned(by: turn.quarters)
                pad.write(" Turn \(turn.rawValue):")
                facing = pad.decide(right, or: [.mistake(.knowledge, right.turned(by: 2))]) {
                    $0.write(" facing \($1.compass).")
                }
            case .steps(let count, let direction):
                let way = problem.alwaysFacesForward ? direction : facing
                pad.write(" \(count) \(problem.alwaysFacesForward ? way.rawValue : way.compass):")
                place = pad.decide(place.moved(count, way), or: mistakes(from: place, count, way)) {
                    $0.write(" \($1.text).")
                }
            }
        }
        let isBack = place == Place()
        pad.write(" ")
        let verdict = pad.decide(isBack, or: [.mistake(.logical, !isBack, isLastResort: true)]) { pad, isBack in
            let yes = pad.phrase("back", ["This is the start.", "That is where we started."])
            let no = pad.phrase("back", ["This is not the start.", "That is not where we started."])
            pad.write(isBack ? yes : no)
        }
        return verdict ? "Yes" : "No"
    }

    private func mistakes(from place: Place, _ count: Int, _ way: Direction) -> [MistakenValue<Place>] {
        [
            .mistake(.logical, place.moved(-count, way)),
            .mistake(.calculation, place.moved(count + 1, way)), .mistake(.calculation, place.moved(count - 1, way)),
            .mistake(.calculation, place.moved(count + 2, way)),
            .mistake(.knowledge, place.moved(count, way.turned(by: 1))),
            .mistake(.knowledge, place.moved(count, way.turned(by: 3))),
        ]
    }
}
