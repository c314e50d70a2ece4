import ArgumentParser
import CanonicalJSON
import Tokenization

struct TokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer", abstract: "Encodes and decodes text with a tokenizer.json, and describes one.",
        subcommands: [EncodeCommand.self, DecodeCommand.self, InspectCommand.self])

    struct Options: ParsableArguments {
        @Option(
            name: .customLong("tokenizer"), help: "A tokenizer.json, or the directory that holds one.",
            completion: .file(extensions: ["json"]))
        var path: String
    }

    struct EncodeCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "encode",
            abstract: "Reads JSON strings, one a line, and writes their token ids and UTF-8 byte offsets.")

        @OptionGroup var options: Options
        @OptionGroup var jobOptions: JobOptions

        @Flag(help: "Adds what the file's template adds, such as a beginning of sequence.")
        var addSpecialTokens = false

        @Flag(help: "Neither truncates nor pads, whatever the file says of that.")
        var whole = false

        @Flag(help: "Writes the tokens too.")
        var tokens = false

        func run() throws {
            let tokenizer = try TokenizerFile(options.path).tokenizer
            let (addsSpecialTokens, keepsLimits, writesTokens) = (addSpecialTokens, !whole, tokens)
            try LineFilter(jobs: jobOptions.count).run { line in
                let json = try JSON.parse(line)
                guard let text = json.string else { throw LineProblem("should be a string, found \(json.kind)") }
                let encoding = tokenizer.encodeWithOffsets(
                    text, addsSpecialTokens: addsSpecialTokens, keepsLimits: keepsLimits)
                return EncodingLine(encoding, tokens: writesTokens ? tokenizer : nil).bytes
            }
        }
    }

    struct DecodeCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decode",
            abstract: "Reads lists of token ids, or objects with ids, one a line, and writes JSON strings.")

        @OptionGroup var options: Options
        @OptionGroup var jobOptions: JobOptions

        @Flag(help: "Leaves special tokens out.")
        var skipSpecialTokens = false

        func run() throws {
            let tokenizer = try TokenizerFile(options.path).tokenizer
            let skips = skipSpecialTokens
            try LineFilter(jobs: jobOptions.count).run { line in
                let ids = try TokenIDs(JSON.parse(line)).ids
                return JSON.string(tokenizer.decode(ids, skipsSpecialTokens: skips)).canonicalBytes
            }
        }
    }

    struct InspectCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inspect", abstract: "Says what a tokenizer consists of.")

        @OptionGroup var options: Options

        @Option(help: "text or json.")
        var format = OutputFormat.text

        func run() throws {
            let file = try TokenizerFile(options.path)
            let description = TokenizerDescription(
                file.tokenizer, file: file.json, configuration: file.configuration)
            guard format == .text else { return StandardStream.output.line(description.json.canonicalText) }
            for (name, value) in description.entries {
                let text = value.isNull ? "–" : value.string ?? value.canonicalText
                let label = name.replacing("_", with: " ")
                StandardStream.output.line(label + String(repeating: " ", count: max(1, 24 - label.count)) + text)
            }
        }
    }
}

/// Token ids as a line gives them.
struct TokenIDs {
    let ids: [Int32]

    /// - Throws: ``LineProblem`` for anything but a list of ids or an object with one under `key`.
    init(_ json: JSON, key: String = "ids") throws {
        guard let values = json.array ?? json[key]?.array else {
            throw LineProblem("should be a list of token ids, or an object with \(key); found \(json.kind)")
        }
        ids = try values.map { value in
            guard let id = value.integer.flatMap(Int32.init(exactly:)) else {
                throw LineProblem("\(value.canonicalText.prefix(40)) is not a token id")
            }
            return id
        }
    }
}

/// The answer to a text: `{"ids":[…],"offsets":[[start,end],…]}`.
struct EncodingLine {
    let bytes: [UInt8]

    /// - Parameter tokens: writes the contents of the tokens too.
    init(_ encoding: Encoding, tokens tokenizer: Tokenizer?) {
        var bytes = Array(#"{"ids":["#.utf8)
        for (index, id) in encoding.ids.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: String(id).utf8)
        }
        bytes.append(contentsOf: #"],"offsets":["#.utf8)
        for (index, span) in encoding.offsets.enumerated() {
            bytes.append(contentsOf: (index > 0 ? ",[" : "[").utf8)
            bytes.append(contentsOf: String(span.lowerBound).utf8)
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: String(span.upperBound).utf8)
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(UInt8(ascii: "]"))
        if let tokenizer {
            bytes.append(contentsOf: #","tokens":"#.utf8)
            JSON.array(encoding.ids.map { tokenizer.token($0).map(JSON.string) ?? .null }).write(to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        self.bytes = bytes
    }
}
