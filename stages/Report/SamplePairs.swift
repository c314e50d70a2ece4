import Reasoning

/// A few aligned pairs to look at: of each task the one whose key-step share is the median.
struct SamplePairs {
    let pairs: [Reasoning.Alignment]

    /// - Parameters:
    ///   - alignments: in any order; the sample does not depend on it.
    ///   - limit: tasks at most, in the order of their names' bytes.
    init(of alignments: [Reasoning.Alignment], limit: Int) {
        let tasks = Dictionary(grouping: alignments) { Array($0.task.utf8) }
        pairs = tasks.keys.sorted { $0.lexicographicallyPrecedes($1) }.prefix(limit).map { task in
            let sorted = tasks[task]!.sorted {
                $0.keyShare != $1.keyShare
                    ? $0.keyShare < $1.keyShare : Array($0.id.utf8).lexicographicallyPrecedes(Array($1.id.utf8))
            }
            return sorted[(sorted.count - 1) / 2]
        }
    }
}
