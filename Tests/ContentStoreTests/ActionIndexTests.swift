import CanonicalJSON
import Glibc
import Testing

@testable import ContentStore

/// The index is used from 32 keys on.
@Suite struct ActionIndexTests {
    let folder: TemporaryFolder
    let keys = (0..<40).map { Digest(of: "key \($0)") }

    init() throws {
        folder = try TemporaryFolder()
        let store = try open()
        for (number, key) in keys.enumerated() {
            let blob = try store.write(Array("content \(number)".utf8))
            try store.submit(
                ActionResult(preimage: .null, outputs: ["n": .integer(Int64(number))], references: [blob]), for: key
            ) { _ in }
        }
        try store.flush()
    }

    func open(_ access: LocalStore.Access = .readWrite) throws -> LocalStore {
        try LocalStore(at: folder.file("store"), access: access)
    }

    var index: String { folder.file("store/local/actions.index") }
    var expected: [ActionLookup] { keys.indices.map { .hit(outputs: ["n": .integer(Int64($0))]) } }

    @Test func commitsFillItAndLookupsUseIt() throws {
        let entries = try ActionIndex(path: index).entries(for: keys)
        #expect(entries.map { $0?.outputs } == expected.map(\.outputs))
        #expect(entries.map { $0?.references } == keys.indices.map { [Digest(of: "content \($0)")] })
        for access in [LocalStore.Access.readWrite, .readOnly] {
            #expect(try open(access).lookup(keys) == expected)
        }
    }

    @Test func lookupsFillWhatItLacksAndItMayVanish() throws {
        try FileSystem.remove(index)
        #expect(try open(.readOnly).lookup(keys) == expected)
        #expect(try FileSystem.status(of: index) == nil, "a store that is only read writes nothing")
        #expect(try open().lookup(keys) == expected)
        #expect(try ActionIndex(path: index).entries(for: keys).allSatisfy { $0 != nil })
        let size = try contents(index).count
        #expect(try open().lookup(keys) == expected)
        #expect(try contents(index).count == size, "what is there is not added again")
    }

    @Test func anEntryCountsOnlyWithTheFileItWasCopiedFrom() throws {
        let layout = try open().layout
        unlink(layout.action(keys[0]))
        // The same file elsewhere, and another file in its place.
        rename(layout.action(keys[1]), layout.action(keys[2]))
        let document = ActionDocument.encode(
            ActionResult(preimage: .null, outputs: "replaced", references: []), key: keys[3])
        try folder.write("store/actions/\(keys[3].hex.prefix(2))/\(keys[3].hex).json", document)
        unlink(layout.blob(Digest(of: "content 4")))
        let lookups = try open().lookup(keys)
        #expect(lookups[0] == .miss)
        #expect(lookups[1] == .miss)
        guard case .unusable = lookups[2] else {
            Issue.record("the result of another key was taken: \(lookups[2])")
            return
        }
        #expect(lookups[3] == .hit(outputs: "replaced"))
        #expect(lookups[4] == .lost(outputs: expected[4].outputs!, missing: [Digest(of: "content 4")]))
        #expect(Array(lookups[5...]) == Array(expected[5...]))
    }

    @Test func damageAnywhereNeverGivesAWrongOutput() throws {
        let intact = try contents(index)
        var generator = SeededGenerator(seed: 14)
        for _ in 0..<60 {
            var damaged = intact
            damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^=
                1 << UInt8.random(in: 0..<8, using: &generator)
            if Bool.random(using: &generator) {
                damaged.removeLast(Int.random(in: 0..<damaged.count, using: &generator))
            }
            try folder.write("store/local/actions.index", damaged)
            #expect(try open().lookup(keys) == expected)
            #expect(try open().lookup(keys) == expected)
        }
        #expect(try ActionIndex(path: index).entries(for: keys).allSatisfy { $0 != nil }, "it has been mended")
    }

    @Test func aRepublishedResultReplacesItsEntry() throws {
        let store = try open()
        #expect(try store.lookup(keys) == expected)
        try store.publish(ActionResult(preimage: .null, outputs: "again", references: []), for: keys[7])
        for other in [store, try open()] {
            #expect(try other.lookup(keys)[7] == .hit(outputs: "again"))
        }
    }
}
