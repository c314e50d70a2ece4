import StageGraph

/// A pipeline file's text, checked and made ready for the YAML parser.
///
/// The braces of `${name}` are swapped for two noncharacters, because YAML takes braces inside `{ … }` and `[ … ]`
/// for its own; columns stay as they are, and ``unmasked(_:)`` brings the braces back.
struct SourceText {
    static let maximumSize = 1 << 20

    let file: String
    let text: String

    /// - Throws: ``InvalidPipeline`` when the bytes are too many, no UTF-8, or hold control characters or aliases.
    init(_ bytes: [UInt8], file: String) throws(InvalidPipeline) {
        self.file = file
        guard bytes.count <= SourceText.maximumSize else {
            throw InvalidPipeline([
                Diagnostic(
                    "the file has \(bytes.count) bytes; a pipeline file has at most \(SourceText.maximumSize)",
                    at: SourceLocation(file: file, line: 1, column: 1))
            ])
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw InvalidPipeline([Diagnostic("the text is not UTF-8", at: firstInvalidPlace(bytes, file: file))])
        }
        var diagnostics: [Diagnostic] = []
        if let (scalar, location) = firstForbidden(decoded, file: file) {
            let code = String(scalar.value, radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
            diagnostics.append(Diagnostic("the character U+\(padded) may not stand in a pipeline file", at: location))
        }
        if let (name, location) = firstAlias(bytes, file: file) {
            diagnostics.append(
                Diagnostic(
                    "\"*\(name)\" is an alias of the anchor \"&\(name)\", and pipeline files have no aliases: "
                        + "make the value a parameter and write ${\(name)}", at: location))
        }
        guard diagnostics.isEmpty else { throw InvalidPipeline(diagnostics) }
        text = masked(decoded)
    }

    static let openBrace = Unicode.Scalar(0xFDD0 as UInt32)!
    static let closeBrace = Unicode.Scalar(0xFDD1 as UInt32)!

    static func unmasked(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == openBrace || $0 == closeBrace }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(scalar == openBrace ? "{" : scalar == closeBrace ? "}" : scalar)
        }
        return String(result)
    }
}

/// The text with `${…}` masked where no quote, comma, brace or line end stands between the braces.
private func masked(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    var scalars = Array(text.unicodeScalars)
    var index = 0
    while index + 1 < scalars.count {
        guard scalars[index] == "$", scalars[index + 1] == "{" else {
            index += 1
            continue
        }
        var end = index + 2
        while end < scalars.count, !"}{,\"'\n\r".unicodeScalars.contains(scalars[end]) { end += 1 }
        if end < scalars.count, scalars[end] == "}" {
            scalars[index + 1] = SourceText.openBrace
            scalars[end] = SourceText.closeBrace
        }
        index = end
    }
    return String(String.UnicodeScalarView(scalars))
}

private func firstInvalidPlace(_ bytes: [UInt8], file: String) -> SourceLocation {
    var valid = 0
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var place = SourceLocation(file: file, line: 1, column: 1)
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
        valid += 1
        place.advance(over: scalar)
    }
    return place
}

/// The first character that YAML forbids or that masks use.
private func firstForbidden(_ text: String, file: String) -> (Unicode.Scalar, SourceLocation)? {
    var place = SourceLocation(file: file, line: 1, column: 1)
    for (index, scalar) in text.unicodeScalars.enumerated() {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFDCF, 0xFDF0...0xFEFE, 0xFF00...0xFFFD,
            0x10000...0x10FFFF:
            place.advance(over: scalar)
        case 0xFEFF where index == 0: break
        default: return (scalar, place)
        }
    }
    return nil
}

extension SourceLocation {
    fileprivate mutating func advance(over scalar: Unicode.Scalar) {
        if scalar == "\n" {
            line += 1
            column = 1
        } else {
            column += 1
        }
    }
}

/// The first `*name` where a node can begin whose `&name` stands in the text too.
///
/// Aliases are refused before the YAML parser sees them: it would expand them, and a few lines can expand to
/// billions of nodes.
private func firstAlias(_ bytes: [UInt8], file: String) -> (name: String, location: SourceLocation)? {
    guard bytes.contains(UInt8(ascii: "&")), bytes.contains(UInt8(ascii: "*")) else { return nil }
    func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || byte == 0x2D || byte == 0x5F
    }
    func name(after index: Int) -> ArraySlice<UInt8> { bytes[(index + 1)...].prefix(while: isNameByte) }
    var anchors: Set<ArraySlice<UInt8>> = []
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "&") { anchors.insert(name(after: index)) }
    var line = 1
    var lineStart = 0
    for (index, byte) in bytes.enumerated() {
        if byte == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        guard byte == UInt8(ascii: "*") else { continue }
        let alias = name(after: index)
        guard !alias.isEmpty, anchors.contains(alias), index == 0 || !isNameByte(bytes[index - 1]) else { continue }
        let column = String(decoding: bytes[lineStart..<index], as: UTF8.self).unicodeScalars.count + 1
        return (String(decoding: alias, as: UTF8.self), SourceLocation(file: file, line: line, column: column))
    }
    return nil
}
