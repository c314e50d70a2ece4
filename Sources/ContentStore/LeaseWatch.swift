import Dispatch

/// Decides, from repeated looks at a lease that somebody else holds, when its holder may be taken for dead.
///
/// Only what was seen counts: the time between two looks that saw the same, measured by the watcher's own clock, and of a
/// long gap between two looks (the watcher itself was stopped, or the machine slept) no more than ``longestGap``.
struct LeaseWatch {
    /// What can be seen of a lease from outside.
    struct Sight: Equatable {
        /// Of the lease's file: another number is another lease.
        var inode: UInt64
        /// What the file says about its holder.
        var holder: [UInt8]
        /// The holder's heartbeat; nil where it has none.
        var beat: [UInt8]?
    }

    static let longestGap = Duration.seconds(1)

    /// How long nothing may change before the holder counts as dead.
    let expiry: Duration
    private var last: (sight: Sight, time: SuspendingClock.Instant)?
    private var unchanged = Duration.zero

    init(expiry: Duration) { self.expiry = expiry }

    /// Records a look. Returns whether the lease has expired.
    mutating func look(_ sight: Sight, at time: SuspendingClock.Instant) -> Bool {
        defer { last = (sight, time) }
        guard let last, last.sight == sight else {
            unchanged = .zero
            return false
        }
        unchanged += min(last.time.duration(to: time), LeaseWatch.longestGap)
        return unchanged >= expiry
    }
}

/// How fast a process's heart beats, and how long its leases outlive the last beat.
struct LeaseTiming: Sendable {
    var beat: Duration
    var expiry: Duration

    /// Seven beats may be missed: a busy machine or a slow file server is no death.
    static let standard = LeaseTiming(beat: .seconds(2), expiry: .seconds(15))

    var beatInterval: DispatchTimeInterval { .milliseconds(Int(beat / .milliseconds(1))) }
}
