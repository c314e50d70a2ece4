import CanonicalJSON
import ContentStore
import StageGraph
import Testing

@testable import Scheduling

@Suite struct ActionKeysTests {
    private let texts = ["", "0", "00", "01", "0110", "1", "10", "111"]

    private func keys() -> ActionKeys {
        ActionKeys(
            texts.enumerated().map { index, text in
                ActionKeys.Action(
                    prefix: ShardPrefix(text)!, key: Digest(of: text),
                    accounting: index == 3
                        ? nil : Accounting(recordsIn: 2 * index, recordsOut: index, dropped: ["é\"": index]))
            })
    }

    @Test func theyRoundTripThroughTheStoreAsCanonicalJSON() throws {
        let folder = TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let store = try folder.open()
        let document = keys().document
        #expect(try JSON.parse(document).canonicalBytes == document)
        let blob = try store.write(document)
        let read = try #require(try ActionKeys(ofOutputs: ["keys": .string(blob.hex)], store: store))
        #expect(read.byPrefix.map(\.prefix.text) == texts)
        #expect(read.byPrefix.map(\.key) == texts.map { Digest(of: $0) })
        #expect(read.byPrefix.map(\.accounting) == keys().byPrefix.map(\.accounting))
        #expect(ActionKeys([]).document == Array("{}".utf8))
    }

    @Test func thoseOfActionsThatDroppedNothingAreReadAlike() throws {
        let folder = TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let store = try folder.open()
        let keys = ActionKeys(
            texts.enumerated().map { index, text in
                ActionKeys.Action(
                    prefix: ShardPrefix(text)!, key: Digest(of: text),
                    accounting: Accounting(recordsIn: index, recordsOut: index * 1000))
            })
        #expect(try JSON.parse(keys.document).canonicalBytes == keys.document)
        let blob = try store.write(keys.document)
        let read = try #require(try ActionKeys(ofOutputs: ["keys": .string(blob.hex)], store: store))
        #expect(read.byPrefix.map(\.prefix) == keys.byPrefix.map(\.prefix))
        #expect(read.byPrefix.map(\.key) == keys.byPrefix.map(\.key))
        #expect(read.byPrefix.map(\.accounting) == keys.byPrefix.map(\.accounting))
    }

    @Test func whatAnEarlierVersionWroteHasKeysAndNoAccounting() throws {
        let folder = TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let store = try folder.open()
        let key = Digest(of: "key")
        let blob = try store.write(Array(#"{"0":"\#(key.hex)","1":["\#(key.hex)",1],"2":"\#(key.hex)"}"#.utf8))
        let read = try #require(try ActionKeys(ofOutputs: ["keys": .string(blob.hex)], store: store))
        #expect(read.byPrefix.map(\.prefix.text) == ["0"], "what is not understood is looked up by itself")
        #expect(read.byPrefix.map(\.key) == [key])
        #expect(read.byPrefix[0].accounting == nil)
    }

    @Test func anActionIsFoundByItsShardAndAnEarlierOneByWhatItSharedWithIt() {
        let keys = ActionKeys(
            ["00", "010", "1"].map {
                ActionKeys.Action(prefix: ShardPrefix($0)!, key: Digest(of: $0), accounting: nil)
            })
        for (text, exact, shared) in [
            ("00", "00", "00"), ("0", nil, "00"), ("01", nil, "010"), ("0101", nil, "010"), ("1", "1", "1"),
            ("10", nil, "1"), ("011", nil, nil),
        ] as [(String, String?, String?)] {
            let prefix = ShardPrefix(text)!
            #expect(keys.action(at: prefix)?.key == exact.map { Digest(of: $0) }, "\(text)")
            #expect(keys.key(at: prefix) == shared.map { Digest(of: $0) }, "\(text)")
        }
    }
}
