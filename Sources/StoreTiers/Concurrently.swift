import Synchronization

/// The results of `transform`, in the order of the elements, with at most `width` of them under way at once.
///
/// - Throws: The first error, or `CancellationError`; what has not started by then does not start.
func concurrently<Element: Sendable, Result: Sendable>(
    _ elements: [Element], width: Int, _ transform: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
    // Workers that take the next element themselves: a task for each element would cost two more changes of thread.
    let next = Cursor()
    return try await withThrowingTaskGroup(of: [(Int, Result)].self) { group in
        for _ in 0..<min(max(1, width), elements.count) {
            group.addTask {
                var done: [(Int, Result)] = []
                while true {
                    let index = next.advance()
                    guard index < elements.count else { return done }
                    try Task.checkCancellation()
                    done.append((index, try await transform(elements[index])))
                }
            }
        }
        var results = [Result?](repeating: nil, count: elements.count)
        for try await part in group {
            for (index, result) in part { results[index] = result }
        }
        return results.map { $0! }
    }
}

private final class Cursor: Sendable {
    private let position = Atomic(0)

    func advance() -> Int { position.wrappingAdd(1, ordering: .relaxed).oldValue }
}
