import CanonicalJSON
import Safetensors
import StudentJobs
import Testing

@testable import Students

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// The worker as a process of its own: exit status, last words, and how it ends when it should.
@Suite(.serialized) struct WorkerProcessTests {
    /// A started worker; both ends of its pipes close with it.
    final class Worker {
        let process: pid_t
        private var input: CInt
        private let output: CInt

        init(program: String = Worker.program, arguments: [String]) throws {
            var inputs: [CInt] = [0, 0]
            var outputs: [CInt] = [0, 0]
            try #require(pipe(&inputs) == 0 && pipe(&outputs) == 0)
            for descriptor in inputs + outputs { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_adddup2(&actions, inputs[0], STDIN_FILENO)
            posix_spawn_file_actions_adddup2(&actions, outputs[1], STDOUT_FILENO)
            var child = pid_t()
            let words = ([program] + arguments).map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            try #require(posix_spawn(&child, program, &actions, nil, words, environ) == 0)
            close(inputs[0])
            close(outputs[1])
            (process, input, output) = (child, inputs[1], outputs[0])
        }

        deinit {
            closeInput()
            close(output)
        }

        static let program: String = {
            // The test bundle lies beside the programs: it is an argument of the runner that loads it, or the runner.
            let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
            let parts = bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            return (parts + ["retort-student"]).joined(separator: "/")
        }()

        func closeInput() {
            if input >= 0 { close(input) }
            input = -1
        }

        /// Bytes of standard output up to the first line feed, or to the end.
        func line() -> [UInt8] {
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while read(output, &byte, 1) == 1 {
                if byte == UInt8(ascii: "\n") { break }
                bytes.append(byte)
            }
            return bytes
        }

        /// Everything else it writes, then its wait status.
        func finish() -> (lines: [[UInt8]], status: CInt) {
            var lines: [[UInt8]] = []
            while case let next = line(), !next.isEmpty { lines.append(next) }
            var status: CInt = 0
            waitpid(process, &status, 0)
            return (lines, status)
        }
    }

    /// Exit status 1 as `waitpid` reports it.
    private let failed: CInt = 1 << 8

    private func longJob(_ scratch: ScratchDirectory) throws -> String {
        let shard = try scratch.write("data.safetensors", TokenShard.encode(Samples.counting(40)))
        let job = TrainingJob(
            model: .random(Samples.configuration, seed: 1), data: [shard], objective: .sft,
            optimizer: OptimizerSettings(learningRate: 1e-3), batch: BatchSettings(samples: 4), epochs: 1e6, seed: 1,
            output: "\(scratch.path)/out")
        return try scratch.write("job.json", StudentJob.train(job).fileBytes)
    }

    @Test func aBadJobIsOneErrorEventAndStatusOne() throws {
        let scratch = ScratchDirectory()
        let cases: [(job: String, message: String)] = [
            ("{", ":1:2: expected a key in double quotes"),
            ("{}", ": field \"job\" is missing"),
        ]
        for (job, message) in cases {
            let path = try scratch.write("job.json", Array(job.utf8))
            let (lines, status) = try Worker(arguments: [path]).finish()
            #expect(try lines.map { try WorkerEvent(line: $0) } == [.failed(path + message)])
            #expect(status == failed)
        }
        let (lines, status) = try Worker(arguments: []).finish()
        #expect(lines.isEmpty)
        #expect(status == 2 << 8)
    }

    @Test func theWorkerEndsWhenItsParentIsGone() throws {
        let scratch = ScratchDirectory()
        let worker = try Worker(arguments: [longJob(scratch)])
        guard case .step = try WorkerEvent(line: worker.line()) else {
            Issue.record("did not start to train")
            return
        }
        worker.closeInput()
        #expect(worker.finish().status == failed)
        #expect(try FileSystem.list(scratch.path) == ["data.safetensors", "job.json"])
    }

    @Test func theWorkerEndsCleanlyWhenTold() throws {
        let scratch = ScratchDirectory()
        let worker = try Worker(arguments: [longJob(scratch)])
        guard case .step = try WorkerEvent(line: worker.line()) else {
            Issue.record("did not start to train")
            return
        }
        kill(worker.process, SIGTERM)
        let (lines, status) = worker.finish()
        let last = try WorkerEvent(line: #require(lines.last))
        #expect(
            last == .failed("retort-student: was told to stop before the work was done; nothing was written"))
        #expect(status == failed)
        #expect(try FileSystem.list(scratch.path) == ["data.safetensors", "job.json"])
    }
}
