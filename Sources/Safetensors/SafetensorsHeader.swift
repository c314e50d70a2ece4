import CanonicalJSON

/// One tensor of a safetensors file: what it is and where its bytes lie.
public struct TensorEntry: Sendable, Equatable {
    public let name: String
    public let type: ElementType
    /// Lengths of the dimensions, outermost first; empty for a scalar.
    public let shape: [Int]
    /// Where the bytes lie, counted from the end of the header.
    public let range: Range<Int>

    /// The product of the shape.
    public var elementCount: Int { range.count / type.byteCount }
}

/// What a safetensors file says about its content: an 8-byte little-endian length, that many bytes of JSON, then data.
///
/// Source: the format description in huggingface/safetensors. The offsets must tile the data exactly, without holes
/// or overlaps.
public struct SafetensorsHeader: Sendable, Equatable {
    /// Headers longer than this are refused, as in the reference implementation. Bytes.
    public static let maximumByteCount = 100_000_000

    /// Ordered by the bytes of their names.
    public let entries: [TensorEntry]
    /// Free text by key (`__metadata__`), ordered by the bytes of the keys.
    public let metadata: [(key: String, value: String)]
    /// Where data begins in the file.
    public let dataOffset: Int

    public static func == (a: Self, b: Self) -> Bool {
        a.entries == b.entries && a.dataOffset == b.dataOffset && a.metadata.elementsEqual(b.metadata, by: ==)
    }

    /// The entry of a name (compared by bytes), or nil. O(log n).
    public func entry(_ name: String) -> TensorEntry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if compareUTF8(entries[middle].name, name) < 0 { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, compareUTF8(entries[low].name, name) == 0 else { return nil }
        return entries[low]
    }

    /// The metadata value of a key (compared by bytes), or nil.
    public func metadata(_ key: String) -> String? {
        metadata.first { compareUTF8($0.key, key) == 0 }?.value
    }

    /// Parses and checks the header of a whole file.
    ///
    /// - Throws: ``SafetensorsError`` for a truncated file, a header that is no JSON object of tensors, an unknown
    ///   type, a shape whose size overflows, and offsets that do not match the shape or do not tile the data.
    /// - Complexity: O(h + n log n) for h header bytes and n tensors.
    public init(parsing bytes: UnsafeRawBufferPointer, source: String) throws(SafetensorsError) {
        guard bytes.count >= 8 else {
            throw SafetensorsError(
                source: source,
                problem: "is \(bytes.count) bytes long; a safetensors file begins with an 8-byte header length")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(Self.maximumByteCount) else {
            throw SafetensorsError(
                source: source, problem: "claims a header of \(length) bytes; this is no safetensors file")
        }
        guard Int(length) <= bytes.count - 8 else {
            throw SafetensorsError(
                source: source,
                problem: "is truncated: the header should take \(length) bytes, \(bytes.count - 8) are there")
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + Int(length)])
        let object: JSONObject
        do {
            guard text.first == UInt8(ascii: "{"), let parsed = try JSON.parse(text, maximumDepth: 4).object else {
                throw SafetensorsError(source: source, problem: "the header is not a JSON object")
            }
            object = parsed
        } catch let error as JSONSyntaxError {
            throw SafetensorsError(source: source, problem: "the header is not JSON: \(error)")
        } catch let error as SafetensorsError {
            throw error
        } catch {
            throw SafetensorsError(source: source, problem: "\(error)")
        }
        dataOffset = 8 + Int(length)
        metadata = try Self.metadata(object, source: source)
        var entries: [TensorEntry] = []
        entries.reserveCapacity(object.count)
        for member in object.members where compareUTF8(member.key, "__metadata__") != 0 {
            entries.append(try TensorEntry(name: member.key, json: member.value, source: source))
        }
        self.entries = entries
        try Self.checkTiling(entries, dataCount: bytes.count - dataOffset, source: source)
    }

    private static func metadata(
        _ object: JSONObject, source: String
    ) throws(SafetensorsError) -> [(key: String, value: String)] {
        guard let json = object["__metadata__"] else { return [] }
        guard let members = json.object?.members else {
            throw SafetensorsError(source: source, problem: "__metadata__ should be an object, found \(json.kind)")
        }
        var result: [(key: String, value: String)] = []
        for member in members {
            guard let value = member.value.string else {
                throw SafetensorsError(
                    source: source,
                    problem: "__metadata__ \"\(member.key)\" should be a string, found \(member.value.kind)")
            }
            result.append((member.key, value))
        }
        return result
    }

    private static func checkTiling(
        _ entries: [TensorEntry], dataCount: Int, source: String
    ) throws(SafetensorsError) {
        var end = 0
        var previous = ""
        let ordered = entries.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for entry in ordered {
            guard entry.range.upperBound <= dataCount else {
                throw SafetensorsError(
                    source: source, tensor: entry.name,
                    problem: "ends at byte \(entry.range.upperBound) of the data, which has \(dataCount); "
                        + "the file is truncated or the offsets are wrong")
            }
            guard entry.range.lowerBound >= end else {
                throw SafetensorsError(
                    source: source, tensor: entry.name, problem: "overlaps tensor \"\(previous)\"")
            }
            guard entry.range.lowerBound == end else {
                throw SafetensorsError(
                    source: source, tensor: entry.name,
                    problem: "leaves a hole of \(entry.range.lowerBound - end) bytes before it")
            }
            end = entry.range.upperBound
            previous = entry.name
        }
        guard end == dataCount else {
            throw SafetensorsError(
                source: source, problem: "has \(dataCount - end) bytes after the last tensor that belong to none")
        }
    }
}

extension TensorEntry {
    fileprivate init(name: String, json: JSON, source: String) throws(SafetensorsError) {
        func fault(_ problem: String) -> SafetensorsError {
            SafetensorsError(source: source, tensor: name, problem: problem)
        }
        guard let object = json.object else { throw fault("should be an object, found \(json.kind)") }
        for key in object.keys where !["dtype", "shape", "data_offsets"].contains(key) {
            throw fault("has an unknown field \"\(key)\"")
        }
        let typeName: String
        let dimensions: [JSON]
        let offsets: [JSON]
        do throws(JSONFieldError) {
            typeName = try object.string("dtype")
            dimensions = try object.array("shape")
            offsets = try object.array("data_offsets")
        } catch {
            throw fault("\(error)")
        }
        guard let type = ElementType(rawValue: typeName) else {
            throw fault(
                "has the unknown dtype \"\(typeName)\"; known are "
                    + ElementType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        var shape: [Int] = []
        var count = 1
        var overflow = false
        for dimension in dimensions {
            guard case .integer(let length) = dimension, length >= 0 else {
                throw fault("has a shape with \(dimension.canonicalText), which is no length")
            }
            shape.append(Int(length))
            let product = count.multipliedReportingOverflow(by: Int(length))
            overflow = overflow || product.overflow
            count = product.partialValue
        }
        let size = count.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow, !size.overflow else { throw fault("has the shape \(shape), which does not fit memory") }
        guard offsets.count == 2, case .integer(let start) = offsets[0], case .integer(let end) = offsets[1],
            start >= 0, end >= start
        else { throw fault("has data_offsets \(JSON.array(offsets).canonicalText), which are no range") }
        guard Int(end - start) == size.partialValue else {
            throw fault(
                "takes \(end - start) bytes by its offsets and \(size.partialValue) by its shape \(shape) of \(typeName)"
            )
        }
        self.init(name: name, type: type, shape: shape, range: Int(start)..<Int(end))
    }
}
