import CanonicalJSON
import StudentJobs

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The worker process: does the job of a file and writes events to standard output.
public enum StudentWorker {
    /// Runs the program.
    ///
    /// - Parameter arguments: those after the program's name: the path of one job file.
    /// - Returns: the exit status: 0 done, 1 failed (the last event says why), 2 wrong usage.
    public static func run(arguments: [String]) -> Int32 {
        guard arguments.count == 1, !arguments[0].hasPrefix("-") else {
            write("usage: retort-student JOB.json\n", to: STDERR_FILENO)
            return 2
        }
        WorkerSignals.install()
        do {
            let job = try readJob(arguments[0])
            let runner = JobRunner(
                report: send, clock: monotonicSeconds, isCancelled: { WorkerSignals.terminationRequested })
            try runner.run(job)
            return 0
        } catch {
            send(.failed("\(error)"))
            return 1
        }
    }

    private static func readJob(_ path: String) throws -> StudentJob {
        do {
            return try StudentJob(fileBytes: FileSystem.read(path))
        } catch let error as JSONSyntaxError {
            throw StudentError("\(path):\(error.line):\(error.column)", error.message)
        } catch let error as JSONFieldError {
            throw StudentError(path, "\(error)")
        }
    }

    private static func send(_ event: WorkerEvent) {
        event.line.withUnsafeBytes { write($0, to: STDOUT_FILENO) }
    }

    private static func write(_ text: String, to descriptor: CInt) {
        Array(text.utf8).withUnsafeBytes { write($0, to: descriptor) }
    }

    /// Writes everything; a reader that went away ends the process, which then works for nobody.
    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) {
        var rest = bytes
        while !rest.isEmpty {
            let count = writeBytes(descriptor, rest.baseAddress!, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if errno != EINTR {
                _exit(1)
            }
        }
    }

    private static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

private func writeBytes(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
