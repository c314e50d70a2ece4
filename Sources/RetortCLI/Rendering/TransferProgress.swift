import Synchronization

/// How far a transfer is, on standard error: a line that is rewritten on a terminal, a line every tenth elsewhere.
final class TransferProgress: Sendable {
    private let label: String
    private let isTerminal = StandardStream.error.isTerminal
    private let shown = Mutex(-1)

    init(_ label: String) { self.label = label }

    /// Called from several threads, not always in order.
    func show(_ done: Int, of total: Int) {
        guard total > 0 else { return }
        let step = done * (isTerminal ? 100 : 10) / total
        let isNews = shown.withLock { shown in
            guard step > shown else { return false }
            shown = step
            return true
        }
        guard isNews else { return }
        let text = "\(label): \(done) of \(total)"
        if isTerminal {
            StandardStream.error.write(Array("\r\(text)\(done == total ? "\n" : "")".utf8))
        } else {
            StandardStream.error.line(text)
        }
    }
}
