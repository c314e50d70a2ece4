/// A steady rate: what was taken has to be paid off in time before more is given (the generic cell rate algorithm with
/// no burst).
///
/// In any minute it gives at most the rate, plus what the last taker exceeded it by. Times are durations since any fixed
/// moment of a clock that never goes back.
struct Pace: Sendable, Equatable {
    /// Units a minute, above 0.
    private(set) var perMinute: Double
    /// When everything taken so far is paid off.
    private(set) var next: Duration = .zero

    init(perMinute: Double) { self.perMinute = perMinute }

    mutating func take(_ units: Double, at now: Duration) { next = max(next, now) + .seconds(units * 60 / perMinute) }

    /// Gives back (or, when negative, takes in addition) what turned out otherwise than expected.
    mutating func giveBack(_ units: Double) { next -= .seconds(units * 60 / perMinute) }

    mutating func slow(to perMinute: Double) { self.perMinute = min(self.perMinute, perMinute) }
}
