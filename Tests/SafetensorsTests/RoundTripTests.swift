import Testing

@testable import Safetensors

@Suite struct RoundTripTests {
    static let tensors = [
        TensorContent("weights", [1.5, -2, 3, 4, 5, 6] as [Float], shape: [2, 3]),
        TensorContent("counts", [1, 2, 3] as [Int64]),
        TensorContent("flags", [1, 0, 1, 1, 0] as [UInt8]),
        TensorContent("scalar", [0.25] as [Double], shape: []),
        TensorContent("empty", [] as [Int32], shape: [0, 4]),
    ]

    @Test func whatIsWrittenIsRead() throws {
        let bytes = try SafetensorsArchive.encode(Self.tensors, metadata: [("format", "pt"), ("a", "é\"")])
        let archive = try SafetensorsArchive(decoding: bytes)
        #expect(archive.names == ["counts", "empty", "flags", "scalar", "weights"])
        #expect(try archive.values("weights", as: Float.self, shape: [2, 3]) == [1.5, -2, 3, 4, 5, 6])
        #expect(try archive.values("counts", as: Int64.self) == [1, 2, 3])
        #expect(try archive.values("flags", as: UInt8.self) == [1, 0, 1, 1, 0])
        #expect(try archive.values("scalar", as: Double.self, shape: []) == [0.25])
        #expect(try archive.values("empty", as: Int32.self, shape: [0, 4]) == [])
        #expect(archive.header.metadata("format") == "pt")
        #expect(archive.header.metadata("a") == "é\"")
        #expect(archive.header.metadata("b") == nil)
    }

    @Test func bytesDoNotDependOnOrder() throws {
        let bytes = try SafetensorsArchive.encode(Self.tensors, metadata: [("b", "2"), ("a", "1")])
        let reversed = try SafetensorsArchive.encode(Self.tensors.reversed(), metadata: [("a", "1"), ("b", "2")])
        #expect(bytes == reversed)
    }

    @Test func bytesAreAsWritten() throws {
        let bytes = try SafetensorsArchive.encode([TensorContent("x", [1, 2] as [UInt8])])
        let header = #"{"x":{"data_offsets":[0,2],"dtype":"U8","shape":[2]}}"# + "   "
        #expect(bytes == [56, 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [1, 2])
    }

    @Test func everyTensorIsAligned() throws {
        let archive = try SafetensorsArchive(decoding: SafetensorsArchive.encode(Self.tensors))
        #expect(archive.header.dataOffset % 8 == 0)
        for entry in archive.header.entries { #expect(entry.range.lowerBound % entry.type.byteCount == 0) }
    }

    @Test func namesThatOnlyLookAlikeStayTwo() throws {
        let names = ["\u{E9}", "e\u{301}"]
        let archive = try SafetensorsArchive(
            decoding: SafetensorsArchive.encode(names.enumerated().map { TensorContent($1, [Int32($0)]) }))
        #expect(archive.header.entries.count == 2)
        #expect(try archive.values(names[0], as: Int32.self) == [0])
        #expect(try archive.values(names[1], as: Int32.self) == [1])
    }

    @Test func writerRefusesWhatReadersWouldRefuse() {
        let twice = [TensorContent("x", [1] as [Int32]), TensorContent("x", [2] as [Int32])]
        #expect(throws: SafetensorsError(source: "safetensors data", tensor: "x", problem: "is given twice")) {
            try SafetensorsArchive.encode(twice)
        }
        let reserved = [TensorContent("__metadata__", [1] as [Int32])]
        #expect(
            throws: SafetensorsError(
                source: "safetensors data", tensor: "__metadata__", problem: "has a reserved name")
        ) { try SafetensorsArchive.encode(reserved) }
        let short = [TensorContent(name: "x", type: .int32, shape: [3], bytes: [1, 2])]
        #expect(
            throws: SafetensorsError(
                source: "safetensors data", tensor: "x", problem: "has 2 bytes, its shape [3] needs 12")
        ) { try SafetensorsArchive.encode(short) }
    }
}
