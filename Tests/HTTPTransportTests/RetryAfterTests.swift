import Testing

@testable import HTTPTransport

@Suite struct RetryAfterTests {
    @Test func datesAgreeWithTheStandard() {
        // RFC 9110, 5.6.7.
        #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDate.seconds("Thu, 29 Feb 2024 12:00:00 GMT") == 1_709_208_000)
        #expect(HTTPDate.seconds("tomorrow") == nil)
    }

    @Test(
        arguments: [
            ("7", nil, Duration.seconds(7)), (" 0 ", nil, .zero), ("86400", nil, RetryAfter.longest),
            ("99999999999999999999", nil, RetryAfter.longest), ("-1", nil, nil), ("soon", nil, nil), ("", nil, nil),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", .seconds(30)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:07 GMT", .zero),
            ("Sun, 06 Nov 1994 08:49:37 GMT", nil, nil),
        ] as [(String, String?, Duration?)])
    func whatTheServerAsksForIsBounded(_ value: String, _ date: String?, _ wait: Duration?) {
        #expect(RetryAfter.parse(value, date: date) == wait)
    }
}
