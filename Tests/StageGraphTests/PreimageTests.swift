import CanonicalJSON
import ContentStore
import SeededRandomness
import Testing

@testable import StageGraph

@Suite struct PreimageTests {
    private typealias Input = ActionPreimage.Input

    /// What of a pre-image decides its key, said without its code.
    private func parts(_ preimage: ActionPreimage) -> PreimageParts {
        func groups(_ inputs: [Input]) -> [PreimageParts.Group] {
            inputs.map { input in
                PreimageParts.Group(role: Array(input.role.utf8), digests: input.contents.map { $0.digest.bytes })
            }.sorted { $0.role.lexicographicallyPrecedes($1.role) }
        }
        return PreimageParts(
            scope: Array(preimage.scope.rawValue.utf8), stage: Array(preimage.stage.utf8), version: preimage.version,
            shard: preimage.shard.map { Array($0.utf8) }, parameters: JSON.object(preimage.parameters).canonicalBytes,
            inputs: groups(preimage.inputs), sources: groups(preimage.sources), programs: groups(preimage.programs),
            partition: preimage.partition.map { Array($0.text.utf8) })
    }

    // MARK: Random pre-images

    /// Few values of each kind, so that neighbours of many kinds come up.
    private struct Maker {
        var random: SplitMix

        mutating func text() -> String {
            ["", "a", "b", "ab", "\u{0}", "role", "F", "\u{e9}", "e\u{301}"].randomElement(using: &random)!
        }

        mutating func digest() -> Digest { Digest(of: "\(Int.random(in: 0..<3, using: &random))") }

        mutating func group() -> [Input] {
            var inputs: [Input] = []
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let role = text()
                guard !inputs.contains(where: { Array($0.role.utf8) == Array(role.utf8) }) else { continue }
                let contents = (0..<Int.random(in: 0...2, using: &random)).map { _ in
                    ActionPreimage.Content(
                        digest: digest(), records: Bool.random(using: &random) ? 5 : nil,
                        label: Bool.random(using: &random) ? text() : nil)
                }
                inputs.append(Input(role: role, contents: contents))
            }
            return inputs
        }

        mutating func json(_ depth: Int = 2) -> JSON {
            switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
            case 0: .null
            case 1: .bool(.random(using: &random))
            case 2: .integer(Int64.random(in: -1...1, using: &random))
            case 3: .number([0.5, 1, 1e300, -0.0].randomElement(using: &random)!)
            case 4: .string(text())
            case 5: .array((0..<Int.random(in: 0...2, using: &random)).map { _ in json(depth - 1) })
            default: .object(object(depth - 1))
            }
        }

        mutating func object(_ depth: Int) -> JSONObject {
            JSONObject((0..<Int.random(in: 0...2, using: &random)).map { _ in (text(), json(depth)) })
        }

        mutating func preimage() -> ActionPreimage {
            ActionPreimage(
                scope: Bool.random(using: &random) ? .action : .stage, stage: text(),
                version: [0, 1, 2, 256].randomElement(using: &random)!,
                shard: Bool.random(using: &random) ? ["", "0", "01"].randomElement(using: &random)! : nil,
                parameters: object(2), inputs: group(), sources: group(), programs: group(),
                partition: [[], [""], ["0", "1"], ["01"], ["0", "10", "11"]].randomElement(using: &random)!
                    .map { ShardPrefix($0)! })
        }
    }

    @Test func whatDecidesAResultCanBeReadBackFromItsKeysPreimage() throws {
        var maker = Maker(random: SplitMix(seed: 20_261_124))
        var seen: [[UInt8]: PreimageParts] = [:]
        for _ in 0..<3000 {
            let preimage = maker.preimage()
            let encoded = preimage.encoded
            // What can be read back cannot be the encoding of anything else.
            #expect(try PreimageReader.read(encoded) == parts(preimage))
            if let other = seen.updateValue(parts(preimage), forKey: encoded) { #expect(other == parts(preimage)) }
        }
        #expect(seen.count > 2500)
        #expect(Set(seen.values).count == seen.count)
    }

    // MARK: Neighbours

    private let base = ActionPreimage(
        scope: .action, stage: "shift", version: 1, shard: "01",
        parameters: JSONObject([("by", "12"), ("unit", "m")]),
        inputs: [
            Input(role: "numbers", contents: [.init(digest: Digest(of: "1")), .init(digest: Digest(of: "2"))]),
            Input(role: "others", contents: [.init(digest: Digest(of: "3"))]),
        ],
        sources: [Input(role: "path", contents: [.init(digest: Digest(of: "4"))])],
        programs: [Input(role: "worker", contents: [.init(digest: Digest(of: "5"))])])

    private func changed(
        scope: ActionPreimage.Scope = .action, stage: String = "shift", version: Int = 1, shard: String? = "01",
        parameters: JSON = ["by": "12", "unit": "m"], inputs: [(String, [String])]? = nil,
        sources: [(String, [String])]? = nil, programs: [(String, [String])]? = nil, partition: [String] = []
    ) -> ActionPreimage {
        func group(_ roles: [(String, [String])]?, _ old: [Input]) -> [Input] {
            roles?.map { role, contents in
                Input(role: role, contents: contents.map { .init(digest: Digest(of: $0)) })
            } ?? old
        }
        return ActionPreimage(
            scope: scope, stage: stage, version: version, shard: shard, parameters: parameters.object!,
            inputs: group(inputs, base.inputs), sources: group(sources, base.sources),
            programs: group(programs, base.programs), partition: partition.map { ShardPrefix($0)! })
    }

    @Test func noNeighbourHasTheSameKey() {
        let neighbours = [
            base, changed(scope: .stage), changed(stage: "shif"), changed(stage: "shift1"), changed(version: 2),
            changed(version: -1), changed(shard: nil), changed(shard: ""), changed(shard: "0"), changed(shard: "010"),
            // A byte moved between a parameter's value and its neighbour's, its name, and from name to name.
            changed(parameters: ["by": "1", "unit": "2m"]), changed(parameters: ["by1": "2", "unit": "m"]),
            changed(parameters: ["byu": "12", "nit": "m"]), changed(parameters: ["by": "12m", "unit": ""]),
            changed(parameters: ["by": 12, "unit": "m"]), changed(parameters: ["by": "m", "unit": "12"]),
            changed(parameters: ["by": "12"]), changed(parameters: ["by": "12", "unit": "m", "x": nil]),
            changed(parameters: ["by": ["12"], "unit": "m"]),
            // The inputs swapped, moved from role to role, in another order, doubled, left out.
            changed(inputs: [("numbers", ["3"]), ("others", ["1", "2"])]),
            changed(inputs: [("numbers", ["1"]), ("others", ["2", "3"])]),
            changed(inputs: [("numbers", ["2", "1"]), ("others", ["3"])]),
            changed(inputs: [("numbers", ["1", "2", "2"]), ("others", ["3"])]),
            changed(inputs: [("numbers", ["1", "2"])]), changed(inputs: [("numbers", ["1", "2"]), ("others", [])]),
            changed(inputs: [("numbers", ["1", "2", "3"]), ("others", [])]),
            changed(inputs: [("number", ["1", "2"]), ("sothers", ["3"])]), changed(inputs: []),
            // From one group to the next.
            changed(inputs: [("numbers", ["1", "2"])], sources: [("others", ["3"]), ("path", ["4"])]),
            changed(sources: [], programs: [("path", ["4"]), ("worker", ["5"])]),
            changed(sources: [("path", ["5"])], programs: [("worker", ["4"])]), changed(programs: []),
            changed(partition: [""]), changed(partition: ["0", "1"]), changed(partition: ["01"]),
            changed(partition: ["1", "0"]),
        ]
        for (index, a) in neighbours.enumerated() {
            for b in neighbours[..<index] { #expect(a.key != b.key, "\(parts(a)) and \(parts(b))") }
        }
        #expect(Set(neighbours.map(parts)).count == neighbours.count)
    }

    @Test func whatDoesNotDecideTheResultIsNoPartOfTheKey() {
        let labelled = ActionPreimage(
            scope: .action, stage: "shift", version: 1, shard: "01",
            parameters: JSONObject([("unit", "m"), ("by", "12")]),
            inputs: [
                Input(role: "others", contents: [.init(digest: Digest(of: "3"), records: 7, label: "0")]),
                Input(
                    role: "numbers",
                    contents: [.init(digest: Digest(of: "1"), records: 1), .init(digest: Digest(of: "2"), label: "x")]),
            ],
            sources: [Input(role: "path", contents: [.init(digest: Digest(of: "4"), label: "rows.jsonl")])],
            programs: base.programs)
        #expect(labelled.key == base.key)
    }

    // MARK: Pinned keys

    private func object(_ json: JSON) -> JSONObject { json.object! }

    /// Computed from the documented layout by scripts/preimage-keys. Another key here means that every
    /// result in every store is computed again: then the domain's version has to change, too.
    @Test func keysArePinned() {
        #expect(base.key.hex == "299b2081b5b206d0495bdc67970d1bab5d5e6b1b6f5229dacf1a2b82ac872992")
        #expect(
            ActionPreimage(scope: .action, stage: "", version: 0, parameters: JSONObject([]), inputs: []).key.hex
                == "23a3757c1be6cfe00b8721e40f2f0f84cfec517323178fb9f7f3c9ae384ba0c4")
        #expect(
            ActionPreimage(
                scope: .stage, stage: "teacher-sampling", version: 3,
                parameters: object([
                    "temperature": 0.7, "samples": 4, "teacher": ["kind": "synthetic", "x": nil, "é": "\n"],
                ]),
                inputs: [Input(role: "questions", contents: [.init(digest: Digest(of: "questions"), records: 9)])],
                sources: [Input(role: "prompt", contents: [.init(digest: Digest(of: "Think.\n"), label: "cot.txt")])],
                partition: ["0", "10", "11"].map { ShardPrefix($0)! }
            ).key.hex == "bb26df793c1248071f0a149c581fe6b36b2c38f81c5ef2d6228b745e7ea64de6")
        #expect(
            ActionPreimage(
                scope: .action, stage: "krsl", version: 300,
                parameters: object(["beta": 1e-7, "steps": 1e21, "seed": -1]),
                inputs: [
                    Input(role: "pairs[1]", contents: []),
                    Input(role: "pairs[0]", contents: [.init(digest: Digest(of: "p"))]),
                ],
                programs: [Input(role: "retort-student", contents: [.init(digest: Digest(of: "\u{7f}ELF"))])]
            ).key.hex == "89c66fa465924a37e269898b04be25e5dafeb64f0d6a5fa25381f159f94fbd7c")
    }

    /// Stores of earlier versions hold the partition of a memo as a list; both forms are the same pre-image.
    @Test func theStoredPartitionIsReadInBothForms() throws {
        for prefixes in [["*"], ["0", "10", "11"]] {
            let preimage = ActionPreimage(
                scope: .stage, stage: "alignment", version: 3, parameters: JSONObject([]), inputs: [],
                partition: prefixes.map { ShardPrefix($0)! })
            var stored = try #require(preimage.json.object)
            #expect(stored["partition"]?.string == prefixes.joined(separator: " "))
            #expect(try ActionPreimage(json: stored) == preimage)
            stored["partition"] = .array(preimage.partition.map { .string($0.text) })
            #expect(try ActionPreimage(json: stored) == preimage)
        }
    }
}
