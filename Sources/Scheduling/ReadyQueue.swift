/// The order in which ready actions get slots.
struct ReadyPriority: Comparable {
    let height: Int
    let stage: Int
    let task: Int

    /// Less is earlier: the longest chain of dependents, then the order of stages and shards.
    static func < (a: ReadyPriority, b: ReadyPriority) -> Bool {
        (-a.height, a.stage, a.task) < (-b.height, b.stage, b.task)
    }
}

/// A binary heap of actions by priority. Insertion and removal are O(log n).
struct ReadyQueue<Element> {
    private var heap: [(priority: ReadyPriority, element: Element)] = []

    var isEmpty: Bool { heap.isEmpty }
    var first: Element? { heap.first?.element }

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
