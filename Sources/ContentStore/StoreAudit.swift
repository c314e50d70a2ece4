import Glibc

/// What a verification of a whole store found.
public struct StoreAudit: Sendable, Equatable {
    /// A file and what is wrong with it.
    public struct Finding: Sendable, Equatable, CustomStringConvertible {
        public let path: String
        public let problem: String
        public var description: String { "\(path): \(problem)" }
    }

    public var checkedBlobs = 0
    /// The uncompressed size of the blobs that are intact.
    public var contentBytes = 0
    public var checkedActions = 0
    public var damagedBlobs: [Finding] = []
    public var unusableActions: [Finding] = []
    /// Results that a newer Retort wrote. This one cannot tell whether they are whole, and leaves them as they are.
    public var newerActions: [Finding] = []
    /// Results some of whose blobs are gone or damaged, and not known to lie in a tier either.
    public var lostActions: [Finding] = []
    /// Roots that cannot be read, or that keep an artifact that is not there. Only running or pinning again mends them.
    public var brokenRoots: [Finding] = []
    /// Files that do not belong where they are.
    public var strays: [String] = []
    /// Whether what was found was put into the quarantine.
    public var isRepaired = false

    /// Whether nothing is wrong.
    public var isClean: Bool {
        damagedBlobs.isEmpty && unusableActions.isEmpty && lostActions.isEmpty && onlyOthersMend
    }

    /// Whether nothing is wrong but what the quarantine mends.
    private var onlyOthersMend: Bool { brokenRoots.isEmpty && strays.isEmpty && newerActions.isEmpty }

    /// Whether anything is still wrong now: what was put into the quarantine no longer is.
    public var leavesSomethingWrong: Bool { isRepaired ? !onlyOthersMend : !isClean }
}

extension LocalStore {
    /// Reads every blob and every result and checks them, on all cores.
    ///
    /// - Parameter repair: Moves what is damaged, and results that have lost a blob, to the quarantine, so that the next
    ///   run computes them anew. Files that do not belong are named but left.
    /// - Complexity: O(size of the store).
    public func audit(repair: Bool = false) throws -> StoreAudit {
        if repair { _ = try writing() }
        var audit = StoreAudit()
        audit.isRepaired = repair
        let blobs = try StoreContents.blobs(layout)
        let actions = try StoreContents.actions(layout)
        audit.strays = blobs.strays + actions.strays
        audit.checkedBlobs = blobs.items.count
        audit.checkedActions = actions.items.count
        var intact: Set<Digest> = []
        for (item, checked) in zip(blobs.items, try Parallel.map(blobs.items, atLeast: 2, check)) {
            switch checked {
            case .intact(let bytes):
                intact.insert(item.digest)
                audit.contentBytes += bytes
            case .damaged(let problem): audit.damagedBlobs.append(.init(path: item.path, problem: problem))
            case .gone: break
            }
        }
        let held = intact.union(try blobsElsewhere())
        for item in actions.items { try check(item, held, &audit) }
        try checkRoots(intact, held, &audit)
        if repair {
            for finding in audit.damagedBlobs + audit.unusableActions + audit.lostActions {
                try quarantine(finding.path)
            }
        }
        return audit
    }

    private enum Checked: Sendable {
        case intact(bytes: Int)
        case damaged(String)
        case gone
    }

    private func check(_ item: StoreContents.Item) throws -> Checked {
        guard let file = try FileSystem.openIfPresent(item.path) else { return .gone }
        do {
            return .intact(bytes: try BlobFile.check(file, item.path, limit: 1 << 60, digest: item.digest))
        } catch let refusal as BlobFile.Refusal {
            switch refusal {
            case .damaged(let problem): return .damaged(problem)
            case .tooLarge: return .damaged("its content is larger than any blob")
            }
        }
    }

    private func check(_ item: StoreContents.Item, _ intact: Set<Digest>, _ audit: inout StoreAudit) throws {
        let bytes: [UInt8]
        do throws(ContentStoreError) {
            guard let contents = try FileSystem.contents(of: item.path, limit: ActionDocument.maximumBytes) else {
                return
            }
            bytes = contents
        } catch {
            guard error.code == .tooLarge else { throw error }
            return audit.unusableActions.append(.init(path: item.path, problem: error.problem))
        }
        switch ActionDocument.decode(bytes, key: item.digest) {
        case .unusable(let reason): audit.unusableActions.append(.init(path: item.path, problem: reason))
        case .newer(let format):
            audit.newerActions.append(.init(path: item.path, problem: ActionDocument.newer(item.path, format).problem))
        case .result(let result):
            let lost = try result.references.filter { try !isThere($0, intact, audit) }
            guard let first = lost.first else { return }
            let problem =
                "it needs blob \(first.short), which is gone" + (lost.count > 1 ? ", and \(lost.count - 1) more" : "")
            audit.lostActions.append(.init(path: item.path, problem: problem))
        }
    }

    private func isThere(_ blob: Digest, _ intact: Set<Digest>, _ audit: StoreAudit) throws -> Bool {
        if intact.contains(blob) { return true }
        let path = layout.blob(blob)
        // A blob that came after the blobs were listed is not lost.
        return try FileSystem.status(of: path) != nil && !audit.damagedBlobs.contains { $0.path == path }
    }

    private func checkRoots(_ intact: Set<Digest>, _ held: Set<Digest>, _ audit: inout StoreAudit) throws {
        let roots: [Root]
        do {
            roots = try self.roots()
        } catch let error as ContentStoreError where error.code == .malformed || error.code == .tooLarge {
            return audit.brokenRoots.append(.init(path: error.subject, problem: "\(error.problem); \(error.remedy)"))
        }
        for root in roots {
            for digest in root.artifacts {
                let path = "\(layout.roots)/\(root.name).json"
                guard try isThere(digest, intact, audit) else {
                    audit.brokenRoots.append(.init(path: path, problem: "its artifact \(digest.short) is gone"))
                    continue
                }
                let artifact: Artifact
                do {
                    artifact = try readArtifact(digest)
                } catch let error as ContentStoreError where error.code != .system {
                    audit.brokenRoots.append(
                        .init(path: path, problem: "its artifact \(digest.short) cannot be read: \(error.problem)"))
                    continue
                }
                if let lost = try artifact.blobs.first(where: { try !isThere($0, held, audit) }) {
                    audit.brokenRoots.append(
                        .init(path: path, problem: "its artifact \(digest.short) lacks blob \(lost.short)"))
                }
            }
        }
    }

    private func quarantine(_ path: String) throws {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        try FileSystem.rename(path, to: "\(layout.quarantine)/\(name)")
    }
}
