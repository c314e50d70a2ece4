import StageGraph
import Yams

/// Reads YAML text into a ``YAMLNode``.
///
/// Keys that stand twice are reported and left out, and reading goes on; a syntax error ends it.
struct YAMLReader {
    static let maximumDepth = 64
    /// Repeated keys that are reported one by one.
    private static let maximumRepeats = 20

    let source: SourceText
    private(set) var diagnostics: [Diagnostic] = []
    /// The real keys behind those that ``composed()`` had to make unique, by line and column.
    private var renamedKeys: [Position: String] = [:]

    private struct Position: Hashable {
        var line: Int
        var column: Int
    }

    init(_ source: SourceText) {
        self.source = source
    }

    /// The document's root; nil when the document is empty or has a syntax error, which is in ``diagnostics``.
    mutating func root() -> YAMLNode? {
        composed().map { node($0, depth: 0, near: SourceLocation(file: source.file, line: 1, column: 1)) }
    }

    // MARK: Composing

    /// The YAML parser stops at the first key that stands twice. Its first occurrence is then renamed to private
    /// characters, as many as it has, and parsing starts again.
    private mutating func composed() -> Node? {
        var text = source.text
        for attempt in 0...YAMLReader.maximumRepeats {
            do {
                return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                guard attempt < YAMLReader.maximumRepeats,
                    let renamed = rename(keys.first ?? "", context.mark, in: text)
                else {
                    renamedKeys[Position(line: context.mark.line, column: context.mark.column)] = keys.first ?? ""
                    reportRenamed()
                    return nil
                }
                text = renamed
            } catch let error as YamlError {
                reportRenamed()
                report(error)
                return nil
            } catch {
                report("the YAML parser failed: \(error)", SourceLocation(file: source.file, line: 1, column: 1))
                return nil
            }
        }
        return nil
    }

    /// Reports the repeated keys known so far, where reading ends and the second places cannot be told.
    private mutating func reportRenamed() {
        for (place, key) in renamedKeys.sorted(by: { ($0.key.line, $0.key.column) < ($1.key.line, $1.key.column) }) {
            let location = SourceLocation(file: source.file, line: place.line, column: place.column)
            report("the key \"\(SourceText.unmasked(key))\" stands twice in this mapping", location)
        }
    }

    private mutating func rename(_ key: String, _ mark: Mark, in text: String) -> String? {
        var scalars = Array(text.unicodeScalars)
        guard let start = index(of: mark, in: scalars), let length = keyLength(key, at: start, in: scalars) else {
            return nil
        }
        let used = Set(scalars.lazy.filter { $0.value >= 0xF0000 })
        guard
            let substitute = (0xF0000...0xFFFFD).lazy.compactMap(Unicode.Scalar.init).first(where: {
                !used.contains($0)
            })
        else { return nil }
        for index in start..<(start + length) { scalars[index] = substitute }
        renamedKeys[Position(line: mark.line, column: mark.column)] = key
        return String(String.UnicodeScalarView(scalars))
    }

    private func index(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int? {
        var line = 1
        var index = 0
        while line < mark.line {
            guard index < scalars.count else { return nil }
            if scalars[index] == "\n" { line += 1 }
            index += 1
        }
        let start = index + mark.column - 1
        return start < scalars.count ? start : nil
    }

    /// The length of a key's source text, or nil when it is not plainly readable (a tag, escapes, several lines).
    private func keyLength(_ key: String, at start: Int, in scalars: [Unicode.Scalar]) -> Int? {
        let expected = Array(key.unicodeScalars)
        let isQuoted = scalars[start] == "\"" || scalars[start] == "'"
        let textStart = isQuoted ? start + 1 : start
        let textEnd = textStart + expected.count
        guard !expected.isEmpty, textEnd < scalars.count, Array(scalars[textStart..<textEnd]) == expected else {
            return nil
        }
        if isQuoted, scalars[textEnd] != scalars[start] { return nil }
        return expected.count + (isQuoted ? 2 : 0)
    }

    private mutating func report(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            report(syntaxMessage(problem, context), location(mark))
        case .composer(_, "but found another document", let mark, _):
            report("a second document starts here; a pipeline file is one document", location(mark))
        case .composer(_, let problem, let mark, _): report(syntaxMessage(problem, nil), location(mark))
        case .reader(let problem, _, _, _):
            report("invalid YAML: \(problem)", SourceLocation(file: source.file, line: 1, column: 1))
        default: report("invalid YAML: \(error)", SourceLocation(file: source.file, line: 1, column: 1))
        }
    }

    private func syntaxMessage(_ problem: String, _ context: YamlError.Context?) -> String {
        var message = "invalid YAML: \(problem)"
        if let context { message += " (\(context.text), which starts in line \(context.mark.line))" }
        switch problem {
        case "found character that cannot start any token":
            message += "; indent with spaces, not tabs, and quote text that begins with a special character"
        case "found a tab character that violates indentation": message += "; indent with spaces"
        case "mapping values are not allowed in this context":
            message += "; quote text that holds \": \", and align keys of one mapping"
        case "did not find expected alphabetic or numeric character", "found undefined alias":
            message += "; quote text that begins with \"*\" or \"&\""
        default: break
        }
        return message
    }

    // MARK: Nodes

    private mutating func node(_ node: Node, depth: Int, near: SourceLocation) -> YAMLNode {
        let place = node.mark.map { location($0) } ?? near
        guard depth < YAMLReader.maximumDepth else {
            report("nested deeper than \(YAMLReader.maximumDepth) levels", place)
            return YAMLNode(content: .unreadable, location: place)
        }
        let tag = node.tagName
        guard YAMLReader.tags.contains(tag) else {
            report("the tag \"\(tag)\" is not known: pipeline files need no tags", place)
            return YAMLNode(content: .unreadable, location: place)
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain && !YAMLReader.stringTags.contains(tag)
            return YAMLNode(
                content: .scalar(SourceText.unmasked(scalar.string), isPlain: isPlain), location: place)
        case .sequence(let sequence):
            return YAMLNode(
                content: .sequence(sequence.map { self.node($0, depth: depth + 1, near: place) }), location: place)
        case .mapping(let mapping):
            return YAMLNode(content: members(mapping, depth: depth, near: place), location: place)
        case .alias:
            report("pipeline files have no aliases", place)
            return YAMLNode(content: .unreadable, location: place)
        }
    }

    private mutating func members(_ mapping: Node.Mapping, depth: Int, near: SourceLocation) -> YAMLNode.Content {
        var members: [(key: Located<String>, value: YAMLNode)] = []
        var first: [[UInt8]: SourceLocation] = [:]
        for (key, value) in mapping {
            let place = key.mark.map { location($0) } ?? near
            guard case .scalar(let scalar) = key else {
                report("a key must be a name, found a list or a mapping", place)
                continue
            }
            let renamed = renamedKeys[Position(line: place.line, column: place.column)]
            let name = SourceText.unmasked(renamed ?? scalar.string)
            let content = node(value, depth: depth + 1, near: place)
            if let earlier = first[Array(name.utf8)] {
                report("the key \"\(name)\" stands twice in this mapping; the first is in line \(earlier.line)", place)
                continue
            }
            first[Array(name.utf8)] = place
            members.append((Located(name, at: place), content))
        }
        return .mapping(members)
    }

    private static let stringTags: Set<String> = ["tag:yaml.org,2002:str", "!"]
    private static let tags: Set<String> = stringTags.union(["", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"])

    private func location(_ mark: Mark) -> SourceLocation {
        SourceLocation(file: source.file, line: mark.line, column: mark.column)
    }

    private mutating func report(_ message: String, _ location: SourceLocation) {
        diagnostics.append(Diagnostic(message, at: location))
    }
}

extension Node {
    /// The tag as written; empty without one.
    fileprivate var tagName: String {
        switch self {
        case .scalar(let scalar): scalar.tag.rawValue
        case .mapping(let mapping): mapping.tag.rawValue
        case .sequence(let sequence): sequence.tag.rawValue
        case .alias: ""
        }
    }
}
