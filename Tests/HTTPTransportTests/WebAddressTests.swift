import Testing

@testable import HTTPTransport

@Suite struct WebAddressTests {
    @Test(arguments: [
        ("https://cache.example", "https://cache.example/"),
        ("HTTP://Cache.Example:80/team", "http://cache.example/team"),
        ("https://cache.example:8443/a%20b?token=x", "https://cache.example:8443/a%20b"),
        ("http://[::1]:9000/x", "http://[::1]:9000/x"),
    ])
    func urlsAreTakenApart(_ text: String, _ shown: String) throws {
        #expect(try WebAddress.parse(text).address.description == shown)
    }

    @Test func credentialsAreTakenOutAndNeverShown() throws {
        let (address, credential) = try WebAddress.parse("https://ann:p%40ss@cache.example/team")
        #expect(credential == .basic(user: "ann", password: "p@ss"))
        #expect(address.url == "https://cache.example/team")
        var dumped = ""
        dump(credential, to: &dumped)
        for text in ["\(credential!)", "\(address)", dumped, String(reflecting: credential!)] {
            #expect(!text.contains("p@ss") && !text.contains("p%40ss"))
        }
    }

    @Test(arguments: [
        ("cache.example/team", "it has no scheme; a URL begins with https:// or http://"),
        ("ftp://cache.example", "its scheme is \"ftp\", not http or https"),
        ("https:///team", "it names no host"),
        ("https://cache.example:0/", "its port is not a number from 1 to 65535"),
        ("https://cache.example:99999/", "its port is not a number from 1 to 65535"),
        ("https://[::1/", "a bracket is not closed"),
        ("https://ca che.example/", "it contains a space or a control character; write %20 for a space"),
        ("https://cache.example/a/../b", "its path has a part that is \".\" or \"..\""),
        ("https://cache.example/#top", "it has a fragment (#), which a server never sees"),
        ("https://user:sec%ret@cache.example/", "the user name or password in it is not percent-encoded UTF-8"),
        ("https://cache$/", "its host has a character that no host name has"),
    ])
    func malformedUrlsAreRefusedWithoutRepeatingThem(_ text: String, _ problem: String) {
        #expect(throws: WebAddress.Malformed(problem: problem)) { try WebAddress.parse(text) }
    }

    @Test func componentsAreAppendedEncoded() throws {
        let address = try WebAddress.parse("https://cache.example/team/").address
        #expect(address.appending("cas", "a b/c").url == "https://cache.example/team/cas/a%20b%2Fc")
    }

    @Test func base64AgreesWithTheStandard() {
        // RFC 4648, section 10.
        let cases = ["", "f", "fo", "foo", "foob", "fooba", "foobar"]
        let texts = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]
        for (plain, text) in zip(cases, texts) {
            #expect(Base64.encode(Array(plain.utf8)) == text)
            #expect(Base64.decode(text) == Array(plain.utf8))
        }
        for bad in ["Zg=", "Z===", "Zg==Zg==", "Zh==", "Zm9$"] { #expect(Base64.decode(bad) == nil) }
    }
}
