/// The strongly connected components of a graph, each behind those it depends on, otherwise in the order of the
/// indices (Tarjan's algorithm without recursion). O(stages + dependencies).
func orderedComponents(of dependencies: [[Int]]) -> [[Int]] {
    var components: [[Int]] = []
    var number = [Int?](repeating: nil, count: dependencies.count)
    var low = [Int](repeating: 0, count: dependencies.count)
    var isOpen = [Bool](repeating: false, count: dependencies.count)
    var open: [Int] = []
    var counter = 0

    for root in dependencies.indices where number[root] == nil {
        var path: [(node: Int, next: Int)] = [(root, 0)]
        while let (node, next) = path.last {
            if number[node] == nil {
                number[node] = counter
                low[node] = counter
                counter += 1
                open.append(node)
                isOpen[node] = true
            }
            if next < dependencies[node].count {
                path[path.count - 1].next += 1
                let dependency = dependencies[node][next]
                if number[dependency] == nil {
                    path.append((dependency, 0))
                } else if isOpen[dependency] {
                    low[node] = min(low[node], number[dependency]!)
                }
                continue
            }
            path.removeLast()
            if let parent = path.last?.node { low[parent] = min(low[parent], low[node]) }
            guard low[node] == number[node] else { continue }
            let start = open.lastIndex(of: node)!
            let component = open[start...].sorted()
            for member in component { isOpen[member] = false }
            open.removeSubrange(start...)
            components.append(component)
        }
    }
    return components
}

extension DraftValidation {
    /// Names the shortest cycle through the first stage of a component, if there is one.
    mutating func reportCycle(in component: [Int], _ dependencies: [[Dependency]]) {
        guard let first = component.first else { return }
        let members = Set(component)
        /// The stage from which each stage was reached, on shortest paths from `first`.
        var reachedFrom: [Int: Int] = [:]
        var queue = [first]
        var position = 0
        search: while position < queue.count {
            let stage = queue[position]
            position += 1
            for dependency in dependencies[stage] where members.contains(dependency.stage) {
                guard reachedFrom[dependency.stage] == nil else { continue }
                reachedFrom[dependency.stage] = stage
                if dependency.stage == first { break search }
                queue.append(dependency.stage)
            }
        }
        guard var stage = reachedFrom[first] else { return }
        var cycle = [first]
        while stage != first {
            cycle.append(stage)
            stage = reachedFrom[stage]!
        }
        cycle.append(first)
        cycle.reverse()
        let location = dependencies[first].first { $0.stage == cycle[1] }?.location
        let names = cycle.map { draft.stages[$0].name.value }.joined(separator: " → ")
        report("the stages form a cycle, each taking an input from the next: \(names)", at: location)
    }
}
