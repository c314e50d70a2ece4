import StageGraph

/// The order in which ready actions get slots.
struct ReadyPriority: Comparable {
    /// Seconds (or stages, where no times are known) of the longest chain that starts with the action.
    let reach: Double
    let id: ActionID

    init(_ id: ActionID, reach: Double) {
        self.reach = reach
        self.id = id
    }

    /// Less is earlier: the longest chain, then the order of stages and shards.
    static func < (a: ReadyPriority, b: ReadyPriority) -> Bool {
        (-a.reach, a.id.stage, a.id.task) < (-b.reach, b.id.stage, b.id.task)
    }
}

/// A binary heap of actions by priority. Insertion and removal are O(log n).
struct ReadyQueue {
    private var heap: [ReadyPriority] = []

    var isEmpty: Bool { heap.isEmpty }
    var first: ReadyPriority? { heap.first }

    mutating func insert(_ priority: ReadyPriority) {
        heap.append(priority)
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < heap.count }
            guard let least = children.min(by: { heap[$0] < heap[$1] }), heap[least] < heap[parent] else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

/// Actions that have to run and wait for resources: a queue for each combination of needs.
struct ReadyActions {
    private var queues: [(needs: Resources, queue: ReadyQueue)] = []

    var isEmpty: Bool { queues.allSatisfy(\.queue.isEmpty) }

    /// O(log n + combinations).
    mutating func insert(_ id: ActionID, needs: Resources, reach: Double) {
        let index = queues.firstIndex { $0.needs == needs } ?? queues.count
        if index == queues.count { queues.append((needs, ReadyQueue())) }
        queues[index].queue.insert(ReadyPriority(id, reach: reach))
    }

    /// Removes and returns the action that may start with what is free: the one with the longest chain. An action that
    /// does not fit keeps what it lacks from those behind it, so that a large one is never passed over for ever; those
    /// that need none of it go ahead. O(log n + combinations²).
    mutating func removeNext(free: Resources) -> (id: ActionID, needs: Resources)? {
        var free = free
        let order = queues.indices.filter { !queues[$0].queue.isEmpty }
            .sorted { queues[$0].queue.first! < queues[$1].queue.first! }
        for index in order {
            let needs = queues[index].needs
            guard needs.fits(in: free) else {
                free = needs.reserving(from: free)
                continue
            }
            defer { queues[index].queue.removeFirst() }
            return (queues[index].queue.first!.id, needs)
        }
        return nil
    }
}
