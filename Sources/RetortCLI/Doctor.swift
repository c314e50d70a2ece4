import ContentStore
import Glibc
import HTTPTransport
import PipelineFile
import StageGraph
import Stages
import StoreTiers
import Teachers

/// Looks at what a run needs: this machine, the worker, the store, and with a pipeline its tiers and teachers.
struct Doctor {
    struct Finding {
        enum Verdict: String {
            case ok
            case note
            case problem
        }

        let subject: String
        let verdict: Verdict
        let text: String
    }

    private(set) var findings: [Finding] = []

    var isWell: Bool { !findings.contains { $0.verdict == .problem } }

    private mutating func add(_ subject: String, _ verdict: Finding.Verdict, _ text: String) {
        findings.append(Finding(subject: subject, verdict: verdict, text: text))
    }

    mutating func checkMachine() {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let memory = pages * sysconf(Int32(_SC_PAGESIZE))
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        add("machine", .ok, "\(cores) cores, \(StoreText.size(memory)) of memory, \(files.rlim_cur) files at a time")
    }

    mutating func checkWorker() async {
        guard let path = Programs.besideThisOne()[StudentProcess.program] else {
            return add(
                StudentProcess.program, .problem,
                "it does not lie beside retort, and stages that train, generate or score need it: "
                    + "swift build -c release --product \(StudentProcess.program)")
        }
        if let problem = await StudentProcess.problem(startingAt: path) {
            add(StudentProcess.program, .problem, "\(path) does not start: \(problem)")
        } else {
            add(StudentProcess.program, .ok, "\(path) starts")
        }
    }

    /// Makes nothing where there is no store yet.
    mutating func checkStore(_ options: StoreOptions) {
        let there = access(options.path, F_OK) == 0
        do {
            let place = there ? options.path : FileSystem.folder(of: try absolute(options.path))
            var status = statvfs()
            let free = statvfs(place, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : 0
            let room = "\(StoreText.size(free)) free"
            guard there else {
                return add("store", .note, "there is none at \(options.path); the first run makes it (\(room))")
            }
            let store = try options.open()
            try probe(store)
            add("store", free < 1 << 30 ? .note : .ok, "\(options.path) can be written; \(room)")
            checkLedger(store)
        } catch {
            add("store", .problem, "\(error)")
        }
    }

    private func absolute(_ path: String) throws -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return "\(String(cString: folder))/\(path)"
    }

    /// What the store does with its files: write, flush, rename.
    private func probe(_ store: LocalStore) throws {
        let scratch = try store.makeScratchDirectory()
        defer { scratch.remove() }
        try FileSystem.replace("\(scratch.path)/probe", with: [1], temporary: "\(scratch.path)/probe.partial")
    }

    private mutating func checkLedger(_ store: LocalStore) {
        let path = LedgerAccess.path(in: store.localDirectory)
        guard access(path, F_OK) == 0 else { return }
        do {
            add("ledger", .ok, "\(try ResponseLedger(path: path).count()) answers")
        } catch {
            add("ledger", .problem, "\(error)")
        }
    }

    mutating func checkTiers(_ options: TierOptions, _ store: StoreOptions, for file: PipelineFile?) async {
        do {
            // A tier needs a store in front of it; none is made for a look.
            guard access(store.path, F_OK) == 0 else {
                return add("tier", .note, "tiers are looked at once there is a store")
            }
            for tier in try options.open(store, for: file).tiers?.tiers ?? [] {
                do {
                    try await Network.run { try await tier.prepare() }
                    add("tier", .ok, "\(tier.name) answers")
                } catch {
                    add("tier", .problem, "\(error)")
                }
            }
        } catch {
            add("tier", .problem, "\(error)")
        }
    }

    mutating func checkTeachers(_ file: PipelineFile) async {
        var seen: Set<String> = []
        for node in file.pipeline.stages {
            guard let teacher = await TeacherReadiness.check(node), seen.insert(teacher.name).inserted else { continue }
            add("teacher", teacher.problem == nil ? .ok : .problem, teacher.problem ?? "\(teacher.name) answers")
        }
    }
}
