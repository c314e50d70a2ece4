import StageGraph

/// The order in which ready actions get slots.
struct ReadyPriority: Comparable {
    /// Seconds (or stages, where no times are known) of the longest chain that starts with the action.
    let reach: Double
    let stage: Int
    let task: Int

    /// Less is earlier: the longest chain, then the order of stages and shards.
    static func < (a: ReadyPriority, b: ReadyPriority) -> Bool {
        (-a.reach, a.stage, a.task) < (-b.reach, b.stage, b.task)
    }
}

/// A binary heap of actions by priority. Insertion and removal are O(log n).
struct ReadyQueue<Element> {
    private var heap: [(priority: ReadyPriority, element: Element)] = []

    var isEmpty: Bool { heap.isEmpty }
    var first: Element? { heap.first?.element }
    var firstPriority: ReadyPriority? { heap.first?.priority }

    mutating func insert(_ element: Element, priority: ReadyPriority) {
        heap.append((priority, element))
        var child = heap.count - 1
        while child > 0, heap[child].priority < heap[(child - 1) / 2].priority {
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
            guard let least = children.min(by: { heap[$0].priority < heap[$1].priority }),
                heap[least].priority < heap[parent].priority
            else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

/// Actions that have to run and wait for resources: a queue for each combination of needs.
struct ReadyActions {
    private var queues: [(needs: Resources, queue: ReadyQueue<ActionID>)] = []

    var isEmpty: Bool { queues.allSatisfy(\.queue.isEmpty) }

    /// O(log n + combinations).
    mutating func insert(_ id: ActionID, needs: Resources, priority: ReadyPriority) {
        let index = queues.firstIndex { $0.needs == needs } ?? queues.count
        if index == queues.count { queues.append((needs, ReadyQueue())) }
        queues[index].queue.insert(id, priority: priority)
    }

    /// Removes and returns the action that may start with what is free: the one with the longest chain. An action that
    /// does not fit keeps what it lacks from those behind it, so that a large one is never passed over for ever; those
    /// that need none of it go ahead. O(log n + combinations²).
    mutating func removeNext(free: Resources) -> (id: ActionID, needs: Resources)? {
        var free = free
        let order = queues.indices.filter { !queues[$0].queue.isEmpty }
            .sorted { queues[$0].queue.firstPriority! < queues[$1].queue.firstPriority! }
        for index in order {
            let needs = queues[index].needs
            guard needs.fits(in: free) else {
                free = needs.reserving(from: free)
                continue
            }
            defer { queues[index].queue.removeFirst() }
            return (queues[index].queue.first!, needs)
        }
        return nil
    }
}
