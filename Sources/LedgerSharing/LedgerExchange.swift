import ContentStore
import Teachers

/// Passes paid answers on through a tier, so that whoever shares it never pays for the same call.
///
/// Each push appends segments with the answers that the tier lacks; each pull reads the segments that this machine has
/// not read. What is known of the tier is remembered beside the ledger; where it turns out not to hold any more, it is
/// found out anew. The first answer to a request stays, here and there, until somebody asks again (`--retry-finish-reason`):
/// then the new one travels as well, and takes the first one's place.
public struct LedgerExchange: Sendable {
    public static let collection = SegmentCollection("teacher-ledger")!

    public struct Pulled: Sendable, Equatable {
        /// Answers that the ledger did not have.
        public var new = 0
        /// Segments that were read.
        public var segments = 0
        /// Segments that cannot be used, and why.
        public var problems: [String] = []

        public init(new: Int = 0, segments: Int = 0, problems: [String] = []) {
            self.new = new
            self.segments = segments
            self.problems = problems
        }
    }

    public struct Pushed: Sendable, Equatable {
        public var answers = 0
        public var segments = 0
        public var pulled = Pulled()

        public init(answers: Int = 0, segments: Int = 0, pulled: Pulled = Pulled()) {
            self.answers = answers
            self.segments = segments
            self.pulled = pulled
        }
    }

    private let ledger: ResponseLedger
    private let tier: any SegmentStorage
    private let known: (segments: TierMemory, entries: TierMemory)

    /// - Parameters:
    ///   - store: keeps what is remembered of the tier.
    ///   - name: the tier's URL.
    public init(_ ledger: ResponseLedger, with tier: any SegmentStorage, named name: String, store: LocalStore) {
        self.ledger = ledger
        self.tier = tier
        known = store.memory(of: Self.collection, in: name)
    }

    /// Takes over the answers of segments that were not read before.
    ///
    /// - Throws: What the tier throws where it cannot be used, or ``LedgerError``. A segment that cannot be used is no
    ///   error but a problem of the report.
    public func pull() throws -> Pulled {
        try forgetWhatALostLedgerHad()
        return try pull(tier.segments(of: Self.collection))
    }

    /// Sends the answers that the tier lacks, after taking over those that are new there.
    ///
    /// - Parameters:
    ///   - paidOnly: leaves out answers of built-in teachers, which cost nothing.
    ///   - verifying: reads everything the tier holds again, and sends again what is damaged there.
    /// - Throws: As ``pull()``.
    public func push(paidOnly: Bool = false, verifying: Bool = false) throws -> Pushed {
        if verifying { try forget() }
        try forgetWhatALostLedgerHad()
        var pushed = Pushed()
        pushed.pulled = try pull(listed())
        let missing = try unsent(paidOnly: paidOnly)
        var segment = LedgerSegment.beginning
        var answers: [Digest] = []
        func send() throws {
            guard !answers.isEmpty else { return }
            let digest = try tier.appendSegment(segment, to: Self.collection)
            try known.entries.remember(answers)
            try known.segments.remember([digest])
            pushed.segments += 1
            pushed.answers += answers.count
            (segment, answers) = (LedgerSegment.beginning, [])
        }
        for start in stride(from: 0, to: missing.count, by: 256) {
            for entry in try ledger.entries(for: missing[start..<min(start + 256, missing.count)]) {
                let line = LedgerFile.line(entry)
                if segment.count + line.count > LedgerSegment.bytes { try send() }
                segment += line
                if let answer = LedgerSegment.answer(entry.key, revision: entry.revision) { answers.append(answer) }
            }
        }
        try send()
        return pushed
    }

    /// Segments are read a few at a time, so that memory stays bounded.
    private static let width = 8

    private func pull(_ segments: [Digest]) throws -> Pulled {
        let read = try known.segments.blobs()
        let new = segments.filter { !read.contains($0) }
        var pulled = Pulled()
        for start in stride(from: 0, to: new.count, by: Self.width) {
            let batch = Array(new[start..<min(start + Self.width, new.count)])
            let contents = try tier.readSegments(batch, of: Self.collection, limit: LedgerSegment.maximumBytes)
            for (digest, content) in zip(batch, contents) {
                do {
                    let name = "segment \(digest.short) of \(Self.collection)"
                    let (answers, count) = try LedgerSegment.read(content.get(), name: name, into: ledger)
                    try known.entries.remember(answers)
                    try known.segments.remember([digest])
                    pulled.new += count
                    pulled.segments += 1
                } catch let error where !(error is LedgerError) && !(error is ContentStoreError) {
                    pulled.problems.append("\(error)")
                }
            }
        }
        return pulled
    }

    /// The tier's segments, after making good for segments that are there and were lost from its index. Of a segment
    /// that is gone it is not known which answers it held, so then all are found out anew.
    private func listed() throws -> [Digest] {
        let segments = try tier.segments(of: Self.collection)
        let unlisted = try known.segments.blobs().subtracting(segments).sorted()
        let there = try unlisted.map { try tier.relistSegment($0, of: Self.collection) }
        guard !there.allSatisfy(\.self) else { return segments + unlisted }
        try forget()
        return try tier.segments(of: Self.collection)
    }

    /// The requests whose answers are not known to be in the tier, sorted. It asks no server.
    func unsent(paidOnly: Bool) throws -> [RequestKey] {
        let there = try known.entries.blobs()
        return try ledger.keys(paid: paidOnly).compactMap { key, revision in
            LedgerSegment.answer(key, revision: revision).flatMap { there.contains($0) ? nil : key }
        }
    }

    /// A ledger that has fewer answers than were exchanged is not the one that exchanged them.
    private func forgetWhatALostLedgerHad() throws {
        if try ledger.countWithReplaced() < known.entries.blobs().count { try forget() }
    }

    private func forget() throws {
        try known.segments.forgetAll()
        try known.entries.forgetAll()
    }
}
