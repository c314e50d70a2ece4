import Dispatch

/// Calls something after a while. Tests have one of their own, and with it the time.
struct Alarm: Sendable {
    let set: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    /// A serial queue has a thread whenever it needs one; a concurrent one waits for a core that actions leave free.
    private static let queue = DispatchQueue(label: "retort.alarm", qos: .userInitiated)

    static let dispatch = Alarm { delay, body in
        let (seconds, attoseconds) = delay.components
        let interval = DispatchTimeInterval.nanoseconds(Int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
        queue.asyncAfter(deadline: .now() + interval, execute: body)
    }
}
