import CanonicalJSON
import ContentStore
import Testing

@Suite struct CanonicalRecordsTests {
    @Test func linesAreSortedByTheBytesOfTheIds() throws {
        let bytes = try CanonicalRecords.encode([
            ["id": "b", "z": 1, "a": 2], ["id": "é"], ["id": "B"], ["id": "a\n"], ["id": "e\u{301}"],
        ])
        let text = String(decoding: bytes, as: UTF8.self)
        let expected = [
            #"{"id":"B"}"#, #"{"id":"a\n"}"#, #"{"a":2,"id":"b","z":1}"#, "{\"id\":\"e\u{301}\"}", #"{"id":"é"}"#,
        ]
        #expect(Array(text.utf8) == Array(expected.map { $0 + "\n" }.joined().utf8))
        #expect(try CanonicalRecords.decode(bytes).count == 5)
    }

    @Test func noRecordsAreNoBytes() throws {
        #expect(try CanonicalRecords.encode([]) == [])
        #expect(try CanonicalRecords.decode([]) == [])
    }

    @Test(arguments: [
        ([["id": "a"], ["id": "a"]] as [JSON], "a record: has the id \"a\", which another has too"),
        ([["id": "a"], ["x": 1]] as [JSON], "record 2: field \"id\" is missing"),
        ([["id": 7]] as [JSON], "record 1: field \"id\" should be a string, found an integer"),
        ([[1, 2]] as [JSON], "record 1: is an array, not an object"),
    ])
    func recordsThatCannotBeWrittenAreNamed(records: [JSON], message: String) {
        let error = #expect(throws: ContentStoreError.self) { try CanonicalRecords.encode(records) }
        #expect(error?.description.hasPrefix(message + "; ") == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        ("{\"id\":\"a\"}\n{\"id\":\"b\"}", "shard 01: the last line has no line feed"),
        ("{\"id\":\"a\"}\n{\"id\":,}\n", "shard 01, line 2: column 7: expected a JSON value"),
        ("{\"id\":\"b\"}\n{\"id\":\"a\"}\n", "shard 01, line 2: the id \"a\" is repeated or out of order"),
        ("{\"id\":\"a\"}\n{\"id\":\"a\"}\n", "shard 01, line 2: the id \"a\" is repeated or out of order"),
        ("{\"id\":\"a\"}\n\n", "shard 01, line 2: column 1: the text ends where a JSON value should stand"),
        ("{}\n", "shard 01, line 1: field \"id\" is missing"),
    ])
    func contentThatIsNoShardIsNamedByLine(text: String, message: String) {
        let error = #expect(throws: ContentStoreError.self) {
            try CanonicalRecords.decode(Array(text.utf8), name: "shard 01")
        }
        #expect(error?.description.hasPrefix(message + "; ") == true, "\(String(describing: error))")
    }
}
