/// What an action occupies while it runs, and what a run has to give, by class.
///
/// An action that waits for a network occupies calls and no CPU slot; one that trains on a GPU occupies an accelerator
/// and the CPU slots of the threads that feed it.
public struct Resources: Sendable, Hashable {
    public var cpuSlots: Int
    public var accelerators: Int
    /// Requests that are under way at a time.
    public var networkCalls: Int

    /// - Precondition: No amount is negative.
    public init(cpuSlots: Int = 1, accelerators: Int = 0, networkCalls: Int = 0) {
        precondition(cpuSlots >= 0 && accelerators >= 0 && networkCalls >= 0, "resources are never negative")
        self.cpuSlots = cpuSlots
        self.accelerators = accelerators
        self.networkCalls = networkCalls
    }

    static let classes: [any WritableKeyPath<Resources, Int> & Sendable] = [
        \.cpuSlots, \.accelerators, \.networkCalls,
    ]

    /// Whether all of this can be taken from what is free.
    public func fits(in free: Resources) -> Bool {
        Resources.classes.allSatisfy { self[keyPath: $0] <= free[keyPath: $0] }
    }

    /// What an action occupies of `limits`: a need beyond a limit takes the whole of it, so that every action can run;
    /// an action that needs nothing takes a CPU slot.
    public func clamped(to limits: Resources) -> Resources {
        var result = self
        for name in Resources.classes { result[keyPath: name] = min(self[keyPath: name], limits[keyPath: name]) }
        let isNothing = Resources.classes.allSatisfy { result[keyPath: $0] == 0 }
        if isNothing { result.cpuSlots = 1 }
        return result
    }

    /// `free` without the classes of which this needs more than there is: nothing else may take from those before this
    /// has had its turn.
    public func reserving(from free: Resources) -> Resources {
        var rest = free
        for name in Resources.classes where self[keyPath: name] > free[keyPath: name] { rest[keyPath: name] = 0 }
        return rest
    }

    public static func += (a: inout Resources, b: Resources) {
        for name in classes { a[keyPath: name] += b[keyPath: name] }
    }

    public static func -= (a: inout Resources, b: Resources) {
        for name in classes { a[keyPath: name] -= b[keyPath: name] }
    }
}
