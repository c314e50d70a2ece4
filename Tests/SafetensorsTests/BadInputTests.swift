import Testing

@testable import Safetensors

/// Every way a file can be wrong gets an error that names it; nothing traps.
@Suite struct BadInputTests {
    static func file(_ header: String, data: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    static func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
        #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    static let cases: [(bytes: [UInt8], message: String)] = [
        ([1, 2, 3], "f: is 3 bytes long; a safetensors file begins with an 8-byte header length"),
        (
            [0, 0, 0, 0, 0, 0, 0, 128],
            "f: claims a header of 9223372036854775808 bytes; this is no safetensors file"
        ),
        (
            [100, 0, 0, 0, 0, 0, 0, 0, 0x7B],
            "f: is truncated: the header should take 100 bytes, 1 are there"
        ),
        (file("[]", data: 0), "f: the header is not a JSON object"),
        (file(" {}", data: 0), "f: the header is not a JSON object"),
        (file("{", data: 0), "f: the header is not JSON: 1:2: expected a key in double quotes"),
        (file(#"{"a":1}"#, data: 0), #"f: tensor "a": should be an object, found an integer"#),
        (file(#"{"a":{"dtype":"F32"}}"#, data: 0), #"f: tensor "a": field "shape" is missing"#),
        (
            file(#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}"#, data: 4),
            #"f: tensor "a": has an unknown field "x""#
        ),
        (
            file("{" + entry("a", "F3", "[]", "[0,4]") + "}", data: 4),
            #"f: tensor "a": has the unknown dtype "F3"; known are "#
                + "BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, F16, BF16, I32, U32, F32, I64, U64, F64"
        ),
        (
            file("{" + entry("a", "F32", "[-1]", "[0,4]") + "}", data: 4),
            #"f: tensor "a": has a shape with -1, which is no length"#
        ),
        (
            file("{" + entry("a", "F32", "[9223372036854775807,2]", "[0,4]") + "}", data: 4),
            #"f: tensor "a": has the shape [9223372036854775807, 2], which does not fit memory"#
        ),
        (
            file("{" + entry("a", "F64", "[2305843009213693952]", "[0,0]") + "}", data: 0),
            #"f: tensor "a": has the shape [2305843009213693952], which does not fit memory"#
        ),
        (
            file("{" + entry("a", "F32", "[9223372036854775808]", "[0,4]") + "}", data: 4),
            #"f: tensor "a": has a shape with 9.223372036854776e+18, which is no length"#
        ),
        (
            file("{" + entry("a", "F32", "[1]", "[4,0]") + "}", data: 4),
            #"f: tensor "a": has data_offsets [4,0], which are no range"#
        ),
        (
            file("{" + entry("a", "F32", "[1]", "[0,8]") + "}", data: 8),
            #"f: tensor "a": takes 8 bytes by its offsets and 4 by its shape [1] of F32"#
        ),
        (
            file("{" + entry("a", "F32", "[1]", "[0,4]") + "}", data: 3),
            #"f: tensor "a": ends at byte 4 of the data, which has 3; the file is truncated or the offsets are wrong"#
        ),
        (
            file("{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("b", "U8", "[4]", "[2,6]") + "}", data: 6),
            #"f: tensor "b": overlaps tensor "a""#
        ),
        (
            file("{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("b", "U8", "[1]", "[6,7]") + "}", data: 7),
            #"f: tensor "b": leaves a hole of 2 bytes before it"#
        ),
        (
            file("{" + entry("a", "U8", "[4]", "[0,4]") + "}", data: 6),
            "f: has 2 bytes after the last tensor that belong to none"
        ),
        (file(#"{"__metadata__":{"k":1}}"#, data: 0), #"f: __metadata__ "k" should be a string, found an integer"#),
        (file(#"{"__metadata__":[]}"#, data: 0), "f: __metadata__ should be an object, found an array"),
    ]

    @Test(arguments: cases.indices) func isRefused(index: Int) {
        let (bytes, message) = Self.cases[index]
        do {
            _ = try SafetensorsArchive(decoding: bytes, source: "f")
            Issue.record("was accepted: \(message)")
        } catch {
            #expect("\(error)" == message)
        }
    }

    @Test func missingTensorsAndOtherTypesAreNamed() throws {
        let archive = try SafetensorsArchive(
            decoding: SafetensorsArchive.encode([TensorContent("x", [1, 2] as [Int32])]), source: "f")
        #expect(throws: SafetensorsError(source: "f", tensor: "y", problem: "is missing")) {
            try archive.values("y", as: Int32.self)
        }
        #expect(throws: SafetensorsError(source: "f", tensor: "x", problem: "should be F32, found I32")) {
            try archive.values("x", as: Float.self)
        }
        #expect(
            throws: SafetensorsError(source: "f", tensor: "x", problem: "should have the shape [3], found [2]")
        ) { try archive.values("x", as: Int32.self, shape: [3]) }
    }

    /// A valid file with one to three bytes changed, cut or added: accepted or refused, never a trap or a read
    /// outside the data.
    @Test func damagedFilesNeverTrap() throws {
        let valid = try SafetensorsArchive.encode(RoundTripTests.tensors, metadata: [("format", "pt")])
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = valid
            for _ in 0...random(3) {
                switch random(3) {
                case 0: bytes[random(bytes.count)] = UInt8(random(256))
                case 1 where bytes.count > 1: bytes.removeLast(random(min(bytes.count - 1, 40)) + 1)
                default: bytes.insert(UInt8(random(256)), at: random(bytes.count + 1))
                }
            }
            guard let archive = try? SafetensorsArchive(decoding: bytes) else { continue }
            accepted += 1
            for entry in archive.header.entries {
                archive.withBytes(of: entry) { #expect($0.count == entry.elementCount * entry.type.byteCount) }
            }
        }
        #expect(accepted > 0)
    }
}
