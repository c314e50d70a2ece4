import Dispatch
import Synchronization

/// The same step on many elements, on all cores.
package enum Parallel {
    /// Calls `body` on each element: in order on this thread where there are fewer than `threshold`.
    ///
    /// - Throws: An error of one of the calls; the others may or may not have run.
    package static func forEach<Element: Sendable>(
        _ elements: [Element], atLeast threshold: Int, _ body: @Sendable (Element) throws -> Void
    ) throws {
        _ = try map(elements, atLeast: threshold, body)
    }

    /// The results of `transform`, in the order of the elements.
    ///
    /// - Throws: The error of the first element that gives one; what comes after it may or may not have run.
    package static func map<Element: Sendable, Result: Sendable>(
        _ elements: [Element], atLeast threshold: Int, _ transform: @Sendable (Element) throws -> Result
    ) throws -> [Result] {
        let count = elements.count
        guard count >= max(threshold, 2) else { return try elements.map(transform) }
        let chunks = min(count, 16)
        let parts = Mutex([[Result]](repeating: [], count: chunks))
        let failure = Mutex<(chunk: Int, error: any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: chunks) { chunk in
            guard failure.withLock({ $0.map { chunk < $0.chunk } ?? true }) else { return }
            do {
                let part = try elements[count * chunk / chunks..<count * (chunk + 1) / chunks].map(transform)
                parts.withLock { $0[chunk] = part }
            } catch {
                failure.withLock { first in
                    if first.map({ chunk < $0.chunk }) ?? true { first = (chunk, error) }
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure.error }
        return parts.withLock { Array($0.joined()) }
    }
}
