/// What a server says about its limits: `x-ratelimit-…-requests` and `x-ratelimit-…-tokens`.
public struct RateLimitHeaders: Sendable, Equatable {
    /// One of the two resources.
    public struct Window: Sendable, Equatable {
        /// Units a minute.
        public var limit: Double?
        /// Units left now.
        public var remaining: Double?
        /// Until they are replenished.
        public var reset: Duration?

        public init(limit: Double? = nil, remaining: Double? = nil, reset: Duration? = nil) {
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }
    }

    public var requests: Window
    public var tokens: Window

    public init(requests: Window = Window(), tokens: Window = Window()) {
        self.requests = requests
        self.tokens = tokens
    }

    /// - Parameter value: the first value of a header by its name in lower case.
    public init(_ value: (String) -> String?) {
        func window(_ resource: String) -> Window {
            func number(_ part: String) -> Double? {
                value("x-ratelimit-\(part)-\(resource)").flatMap(Double.init).flatMap {
                    $0.isFinite && $0 >= 0 ? $0 : nil
                }
            }
            return Window(
                limit: number("limit"), remaining: number("remaining"),
                reset: value("x-ratelimit-reset-\(resource)").flatMap(Self.duration))
        }
        self.init(requests: window("requests"), tokens: window("tokens"))
    }

    /// Reads `6m0s`, `1.5s`, `20ms`, or a plain number of seconds. Nil for anything else, and past one day.
    public static func duration(_ text: String) -> Duration? {
        var seconds = 0.0
        var rest = Substring(text)
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let value = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            switch unit {
            case "ms": seconds += value / 1000
            case "s", "": seconds += value
            case "m": seconds += value * 60
            case "h": seconds += value * 3600
            default: return nil
            }
        }
        guard !text.isEmpty, seconds <= 86_400 else { return nil }
        return .seconds(seconds)
    }
}
