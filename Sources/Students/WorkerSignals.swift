import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How a worker learns that it should end.
enum WorkerSignals {
    private static let requested = Atomic<Bool>(false)

    /// Whether SIGTERM or SIGINT came; the work stops at the next step.
    static var terminationRequested: Bool { requested.load(ordering: .relaxed) }

    /// Catches SIGTERM and SIGINT, ignores SIGPIPE, and watches standard input.
    ///
    /// Where standard input is a pipe or socket, its end means that the parent is gone: the process exits at once.
    /// Elsewhere (a terminal, /dev/null, a file) it means nothing.
    static func install() {
        _ = terminationRequested
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in WorkerSignals.requested.store(true, ordering: .relaxed) }
        }
        signal(SIGPIPE, SIG_IGN)
        var status = stat()
        guard fstat(STDIN_FILENO, &status) == 0 else { return }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFIFO || kind == S_IFSOCK else { return }
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { _ in
                var byte: UInt8 = 0
                while true {
                    let count = read(STDIN_FILENO, &byte, 1)
                    if count == 0 || (count < 0 && errno != EINTR) { _exit(1) }
                }
            }, nil)
        if started == 0 { pthread_detach(thread) }
    }
}
