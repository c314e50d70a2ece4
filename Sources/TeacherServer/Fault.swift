/// Something that goes wrong on purpose.
public enum Fault: Sendable, Equatable {
    /// Turned away, with `Retry-After` if seconds are given.
    case tooManyRequests(retryAfter: Int?)
    /// An error answer of this status.
    case status(Int)
    /// The answer comes this many milliseconds later.
    case delay(milliseconds: Int)
    /// The connection is closed before the answer.
    case drop
    /// The connection is closed in the middle of the answer.
    case truncate
    /// The answer is no JSON.
    case invalidJSON
    /// The answer is a page of HTML.
    case contentType
    case noChoices
    case emptyContent
    /// The answer's text holds bytes that are no UTF-8.
    case invalidUTF8
    /// The answer's text has 50 MB.
    case huge
    /// The answer was cut off by the limit on tokens.
    case cutOff
    /// Status 400: the prompt is longer than the context.
    case contextLength
}

/// Which requests a fault strikes.
public struct FaultRule: Sendable, Equatable {
    public enum Occasion: Sendable, Equatable {
        case always
        /// The request of this number, from 1.
        case request(Int)
        /// Every so manieth request.
        case every(Int)
        /// The first so many.
        case first(Int)
        /// Requests whose prompt holds this text.
        case prompt(String)
    }

    public let fault: Fault
    public let occasion: Occasion

    public init(_ fault: Fault, _ occasion: Occasion = .always) {
        self.fault = fault
        self.occasion = occasion
    }

    /// Reads `FAULT[=VALUE][@N|/N|<N|~TEXT]`: `429=2@3` turns the third request away for two seconds, `500/10` fails
    /// every tenth, `drop<5` the first five, `empty~Paris` those whose prompt holds "Paris".
    ///
    /// - Throws: ``InvalidFault``.
    public init(_ text: String) throws(InvalidFault) {
        let mark = text.firstIndex { "@/<~".contains($0) }
        let (name, value) = Self.halves(text[..<(mark ?? text.endIndex)], at: "=")
        guard let fault = Self.fault(String(name), value.map(String.init)) else { throw InvalidFault(text: text) }
        self.fault = fault
        guard let mark else {
            occasion = .always
            return
        }
        let rest = String(text[text.index(after: mark)...])
        switch (text[mark], Int(rest).flatMap { $0 > 0 ? $0 : nil }) {
        case ("@", let number?): occasion = .request(number)
        case ("/", let number?): occasion = .every(number)
        case ("<", let number?): occasion = .first(number)
        case ("~", _) where !rest.isEmpty: occasion = .prompt(rest)
        default: throw InvalidFault(text: text)
        }
    }

    private static func halves(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
        guard let place = text.firstIndex(of: mark) else { return (text, nil) }
        return (text[..<place], text[text.index(after: place)...])
    }

    static let names = [
        "429", "delay", "drop", "truncate", "invalid-json", "content-type", "no-choices", "empty", "invalid-utf8",
        "huge", "cut-off", "context-length",
    ]

    private static func fault(_ name: String, _ value: String?) -> Fault? {
        let number = value.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
        if value != nil, number == nil { return nil }
        switch (name, number) {
        case ("429", _): return .tooManyRequests(retryAfter: number)
        case ("delay", let milliseconds?): return .delay(milliseconds: milliseconds)
        case ("drop", nil): return .drop
        case ("truncate", nil): return .truncate
        case ("invalid-json", nil): return .invalidJSON
        case ("content-type", nil): return .contentType
        case ("no-choices", nil): return .noChoices
        case ("empty", nil): return .emptyContent
        case ("invalid-utf8", nil): return .invalidUTF8
        case ("huge", nil): return .huge
        case ("cut-off", nil): return .cutOff
        case ("context-length", nil): return .contextLength
        default:
            guard number == nil, let status = Int(name), (400...599).contains(status) else { return nil }
            return .status(status)
        }
    }

    func strikes(request number: Int, prompt: String) -> Bool {
        switch occasion {
        case .always: true
        case .request(let wanted): number == wanted
        case .every(let period): number % period == 0
        case .first(let count): number <= count
        case .prompt(let text): prompt.contains(text)
        }
    }
}

/// A fault that cannot be read.
public struct InvalidFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let text: String

    public var description: String {
        "there is no fault \"\(text)\"; write NAME[=VALUE] and, for some requests only, @N (the Nth), /N (every Nth), <N"
            + " (the first N) or ~TEXT (those whose prompt holds it), with NAME a status from 400 to 599 or one of "
            + FaultRule.names.joined(separator: ", ")
    }
}
