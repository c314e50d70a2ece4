import CanonicalJSON
import ContentStore
import StageGraph
import Testing

@testable import Scheduling

/// What runs beside what, and what goes first.
@Suite struct ResourceTests {
    private let outputs = ScriptedOutputs(prefixes: { _ in ["0", "1"] })

    private func needy(_ name: String, _ parameters: [String: JSON] = [:], on input: String = "s") -> Toy {
        Toy(name, "needy", [("numbers", [input])], parameters)
    }

    private func situation(_ stages: [Toy], limits: Resources, weights: [String: Double] = [:]) throws -> Situation {
        let source = Toy("s", "numbers", [], ["values": ["n": 1]])
        return Situation(
            try .toys([source] + stages), World(), limits: limits, outputs: outputs, weights: weights)
    }

    /// Opens gates until only actions that occupy something are left.
    private func underWay(_ situation: inout Situation) -> [String] {
        while let index = situation.gates.firstIndex(where: { gate in
            if case .effect(.run(let id, _)) = gate { situation.name(id) == "s *" } else { true }
        }) {
            situation.open(index, .answer)
        }
        return situation.running.map { situation.name($0) }.sorted()
    }

    @Test func actionsThatWaitForANetworkTakeNoSlot() throws {
        var scene = try situation(
            [needy("asks", ["slots": 0, "calls": 1]), needy("cuts")], limits: Resources(cpuSlots: 1, networkCalls: 8))
        #expect(underWay(&scene) == ["asks 0", "asks 1", "cuts 0"])
        var narrow = try situation(
            [needy("asks", ["slots": 0, "calls": 1]), needy("cuts")], limits: Resources(cpuSlots: 2, networkCalls: 1))
        #expect(underWay(&narrow) == ["asks 0", "cuts 0", "cuts 1"])
    }

    @Test func oneActionHasTheAccelerator() throws {
        var scene = try situation(
            [needy("trains", ["accelerators": 1]), needy("cuts")], limits: Resources(cpuSlots: 4, accelerators: 1))
        #expect(underWay(&scene) == ["cuts 0", "cuts 1", "trains 0"])
    }

    @Test func anActionThatNeedsMoreThanThereIsRunsAlone() throws {
        var scene = try situation([needy("trains", ["slots": 64])], limits: Resources(cpuSlots: 4))
        #expect(underWay(&scene) == ["trains 0"])
    }

    private func openRun(_ scene: inout Situation) throws {
        let index = scene.gates.firstIndex(where: { if case .effect(.run) = $0 { true } else { false } })
        scene.open(try #require(index), .answer)
    }

    @Test func whatALargeActionLacksIsKeptForItFromLessUrgentOnes() throws {
        let first = Toy("first", "numbers", [], ["values": ["n": 2]])
        var scene = try situation(
            [first, needy("small"), needy("large", ["slots": 2]), needy("end", on: "large")],
            limits: Resources(cpuSlots: 2))
        #expect(underWay(&scene) == ["first *"])
        try openRun(&scene)
        #expect(underWay(&scene) == ["large 0"])
    }

    @Test func nothingMoreStartsWhileTooManyResultsAreOnTheirWay() throws {
        var scene = try situation([needy("cuts")], limits: Resources(cpuSlots: 1))
        scene.machine.publishingWindow = 1
        #expect(underWay(&scene) == ["cuts 0"])
        try openRun(&scene)
        #expect(scene.running.isEmpty)
        #expect(underWay(&scene) == ["cuts 1"])
    }

    @Test func theLongestChainGoesFirst() throws {
        // While one action has the slot the others are looked up, and then all are ready.
        let stages = [
            needy("short"), needy("long", ["fail-on": "nobody"]), needy("end", on: "long"),
            Toy("first", "numbers", [], ["values": ["n": 2]]),
        ]
        func order(_ weights: [String: Double]) throws -> [String] {
            var scene = try situation(stages, limits: Resources(cpuSlots: 1), weights: weights)
            var order: [String] = []
            while let name = underWay(&scene).first {
                order.append(name)
                try openRun(&scene)
                #expect(scene.violations.isEmpty)
            }
            return order
        }
        // Without times the deepest chain is the longest; of equally long ones the first stage in the file goes first.
        #expect(try order([:]) == ["first *", "long 0", "long 1", "short 0", "short 1", "end 0", "end 1"])
        let weights = ["s": 1, "first": 1, "short": 9, "long": 1, "end": 2.0]
        #expect(try order(weights) == ["first *", "short 0", "short 1", "long 0", "long 1", "end 0", "end 1"])
        // A stage that has never been timed counts as an average one.
        #expect(try order(["s": 1, "first": 1, "short": 2, "end": 1])[1] == "long 0")
    }

    @Test func resultsOnTheirWayToTheDiskLeaveFileHandlesToTheRest() {
        #expect(FileHandles.forLeases(of: 256) == 64)
        #expect(FileHandles.forLeases(of: 1024) == 448)
        #expect(FileHandles.forLeases(of: 100) == 8)
    }
}
