import Testing

@testable import HTTPTransport

/// Random histories of the state machine, against what must hold after each event.
@Suite struct TrafficTests {
    /// A server's side of the story: what has been asked for and what carries what.
    private struct Model {
        var traffic: Traffic<Int, Int>
        var attempts = 0
        var carrying: [Int: Int] = [:]
        var sent: [Int] = []
        var nextConnection = 0

        mutating func follow(_ action: Traffic<Int, Int>.Action) {
            switch action {
            case .nothing: break
            case .connect: attempts += 1
            case .send(let exchange, let connection):
                #expect(carrying[connection] == nil, "a connection carries one exchange at a time")
                carrying[connection] = exchange
                sent.append(exchange)
            }
        }

        func check(limit: Int) {
            #expect(traffic.connecting == attempts)
            #expect(traffic.busy == carrying.count)
            #expect(traffic.connecting + traffic.busy + traffic.idle.count <= limit)
            #expect(Set(traffic.idle).isDisjoint(with: carrying.keys))
            // Nobody waits while something could be done about it.
            if !traffic.waiting.isEmpty {
                #expect(traffic.idle.isEmpty)
                #expect(
                    traffic.connecting >= min(traffic.waiting.count, limit - traffic.busy),
                    "\(traffic.waiting.count) wait with \(traffic.connecting) attempts and \(traffic.busy) busy")
            }
        }
    }

    @Test(arguments: [1, 2, 5])
    func everyExchangeIsSentOnceOrFailsAndNoLimitIsPassed(limit: Int) {
        var generator = SplitMix(seed: UInt64(limit))
        for _ in 0..<200 {
            var model = Model(traffic: Traffic(limit: limit))
            var (added, failed, withdrawn) = (0, [Int](), [Int]())
            for _ in 0..<60 {
                switch Int.random(in: 0..<7, using: &generator) {
                case 0, 1:
                    added += 1
                    model.follow(model.traffic.add(added))
                case 2 where model.attempts > 0:
                    model.attempts -= 1
                    model.nextConnection += 1
                    model.follow(model.traffic.connected(model.nextConnection))
                case 3 where model.attempts > 0:
                    model.attempts -= 1
                    let (loser, next) = model.traffic.connectFailed()
                    if let loser { failed.append(loser) }
                    model.follow(next)
                case 4:
                    guard let connection = model.carrying.keys.sorted().first else { continue }
                    model.carrying[connection] = nil
                    model.follow(model.traffic.finished(connection))
                case 5:
                    let open = model.carrying.keys.sorted() + model.traffic.idle
                    guard let connection = open.randomElement(using: &generator) else { continue }
                    model.carrying[connection] = nil
                    model.follow(model.traffic.closed(connection))
                default:
                    guard let exchange = model.traffic.waiting.randomElement(using: &generator) else { continue }
                    let isFirst = model.traffic.withdraw(exchange)
                    let isAgain = model.traffic.withdraw(exchange)
                    #expect(isFirst && !isAgain)
                    withdrawn.append(exchange)
                }
                model.check(limit: limit)
            }
            let all = model.sent + failed + withdrawn + model.traffic.waiting
            #expect(all.sorted() == Array(1..<(added + 1)))
            #expect(model.sent == model.sent.sorted(), "who waits longest goes first")
        }
    }

    @Test func theConnectionUsedLastIsUsedNext() {
        var traffic = Traffic<String, Int>(limit: 2)
        _ = traffic.add(1)
        _ = traffic.add(2)
        _ = traffic.connected("a")
        _ = traffic.connected("b")
        _ = traffic.finished("b")
        _ = traffic.finished("a")
        #expect(traffic.idle == ["b", "a"])
        guard case .send(3, over: "a") = traffic.add(3) else {
            Issue.record("the other connection was taken")
            return
        }
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        init(seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
