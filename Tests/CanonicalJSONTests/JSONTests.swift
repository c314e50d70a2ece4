import CanonicalJSON
import Testing

@Suite struct JSONTests {
    @Test func keysAreSortedByBytesAndWhiteSpaceDropped() throws {
        let value = try JSON.parse(#" { "b" : 1, "a" : [ true , null ], "é":"\u00e9", "e\u0301": 2 } "#)
        #expect(value.canonicalText == "{\"a\":[true,null],\"b\":1,\"e\u{301}\":2,\"é\":\"é\"}")
    }

    @Test(arguments: [
        ("1", "1"), ("1.0", "1"), ("-0", "0"), ("0.1", "0.1"), ("1e2", "100"), ("1e300", "1e+300"),
        ("9223372036854775807", "9223372036854775807"), ("5e-324", "5e-324"),
    ])
    func numbersHaveOneSpelling(text: String, canonical: String) throws {
        #expect(try JSON.parse(text).canonicalText == canonical)
        #expect(try JSON.parse(canonical).canonicalText == canonical)
    }

    @Test(arguments: [
        ("", "1:1: the text ends where a JSON value should stand"),
        ("{\"a\":1,\n\"a\":2}", "2:1: an object has the same key twice"),
        ("[1,]", "1:4: expected a JSON value"),
        ("\"\\ud800\"", "1:2: a lone surrogate in a string"),
        ("01", "1:2: unexpected text after the JSON value"),
        ("1e999", "1:1: the number 1e999 does not fit a double"),
        ("\"a\u{1}\"", "1:3: a control character inside a string must be escaped"),
    ])
    func malformedTextIsLocated(text: String, message: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON.parse(text) }
        #expect(error?.description == message)
    }

    @Test func hostileNestingIsRefused() {
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test func keysEqualOnlyUnderUnicodeEquivalenceStayApart() {
        let value: JSON = ["\u{e9}": 1, "e\u{301}": 2]
        #expect(value["\u{e9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }

    @Test func invalidUTF8IsRefused() {
        #expect(throws: JSONSyntaxError.self) { try JSON.parse([0x22, 0xFF, 0x22]) }
    }
}
