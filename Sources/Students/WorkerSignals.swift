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

    /// Seconds between the end of standard input and the end of the process, at most.
    private static let grace: UInt32 = 10

    /// Whether SIGTERM or SIGINT came, or the parent went away; the work stops as soon as its state is safe.
    static var terminationRequested: Bool { requested.load(ordering: .relaxed) }

    /// Catches SIGTERM and SIGINT, ignores SIGPIPE, and watches standard input.
    ///
    /// Where standard input is a pipe or socket, its end means that the parent is gone or has no more use for the work:
    /// the process may save its state and then exits, after ``grace`` seconds in any case. Elsewhere (a terminal, /dev/null, a file) it means nothing.
    static func install() {
        _ = terminationRequested
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in WorkerSignals.requested.store(true, ordering: .relaxed) }
        }
        // The mask is the parent's, and threads of a pool block most signals.
        var caught = sigset_t()
        sigemptyset(&caught)
        for number in [SIGTERM, SIGINT] { sigaddset(&caught, number) }
        pthread_sigmask(SIG_UNBLOCK, &caught, nil)
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
                    guard count == 0 || (count < 0 && errno != EINTR) else { continue }
                    WorkerSignals.requested.store(true, ordering: .relaxed)
                    sleep(WorkerSignals.grace)
                    _exit(1)
                }
            }, nil)
        if started == 0 { pthread_detach(thread) }
    }
}
