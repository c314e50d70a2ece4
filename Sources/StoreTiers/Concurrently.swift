/// The results of `transform`, in the order of the elements, with at most `width` of them under way at once.
///
/// - Throws: The first error; what has not started by then does not start.
func concurrently<Element: Sendable, Result: Sendable>(
    _ elements: [Element], width: Int, _ transform: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
    var results = [Result?](repeating: nil, count: elements.count)
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var next = 0
        func startNext() {
            guard next < elements.count else { return }
            let (index, element) = (next, elements[next])
            next += 1
            group.addTask { (index, try await transform(element)) }
        }
        for _ in 0..<max(1, width) { startNext() }
        while let (index, result) = try await group.next() {
            results[index] = result
            startNext()
        }
    }
    return results.map { $0! }
}
