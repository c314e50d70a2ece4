import ContentStore
import HTTPTransport

/// What lies in the bucket, a thousand objects a request.
extension S3Storage {
    /// From how many blobs on a listing is tried, and how many blobs a page of it has to answer for to go on with it:
    /// a bucket that many share may hold far more than is asked about.
    private static let fewestToList = 200
    private static let fewestAPage = 20

    func statuses(of blobs: [Digest]) async throws -> [ObjectStatus?] {
        let wanted = Set(blobs)
        var found: [Digest: ObjectStatus] = [:]
        var open = blobs
        if wanted.count >= S3Storage.fewestToList {
            // Keys come in order, so a page answers for all up to its last key.
            let sorted = wanted.sorted()
            var last: Digest?
            var isOrdered = true
            let isWhole = try await list("blobs/") { objects in
                let first = last
                for object in objects {
                    guard case .blob(let digest) = object.name else { continue }
                    isOrdered = isOrdered && last.map { $0 < digest } ?? true
                    last = digest
                    if wanted.contains(digest) { found[digest] = object.status }
                }
                let answered = sorted.count { digest in (first.map { $0 < digest } ?? true) && digest <= last ?? digest
                }
                return isOrdered && answered >= S3Storage.fewestAPage
            }
            open = isWhole ? [] : sorted.filter { digest in !isOrdered || last.map { $0 < digest } ?? true }
        }
        let rest = open.filter { found[$0] == nil }
        let asked = try await concurrently(rest, width: parallelism) { try await self.status(of: .blob($0)) }
        for (digest, status) in zip(rest, asked) { found[digest] = status }
        return blobs.map { found[$0] }
    }

    func contents() async throws -> [ObjectName]? {
        var names: [ObjectName] = []
        for folder in ["blobs/", "actions/"] { names += try await self.names(in: folder) }
        return names
    }

    func segments(of collection: SegmentCollection) async throws -> [Digest] {
        try await names(in: "segments/\(collection)/").compactMap { object in
            if case .segment(_, let digest) = object { digest } else { nil }
        }
    }

    func register(_ segment: Digest, in collection: SegmentCollection) async {}

    private func names(in folder: String) async throws -> [ObjectName] {
        var names: [ObjectName] = []
        _ = try await list(folder) { objects in
            names += objects.map(\.name)
            return true
        }
        return names
    }

    /// - Parameter page: gets the objects of one answer, and says whether it wants the next.
    /// - Returns: Whether everything was listed.
    private func list(
        _ folder: String, page: ([(name: ObjectName, status: ObjectStatus)]) -> Bool
    ) async throws -> Bool {
        let top = prefix.isEmpty ? "" : "\(prefix)/"
        var token: String?
        repeat {
            var query = "list-type=2&prefix=\(PercentEncoding.encode(top + folder))"
            if let token { query = "continuation-token=\(PercentEncoding.encode(token))&" + query }
            let response = try await transfer.send(WebRequest(.get, bucketAddress(query: query)), limit: 16 << 20)
            let objects = S3Answer.elements("Contents", in: response.body).compactMap { object in
                S3Answer.text("Key", in: object).flatMap { key in
                    key.hasPrefix(top) ? ObjectName(path: String(key.dropFirst(top.count))) : nil
                }.map { name in
                    let bytes = S3Answer.text("Size", in: object).flatMap { Int($0) }
                    let tag = S3Answer.tag(S3Answer.text("ETag", in: object))
                    return (name, ObjectStatus(bytes: bytes, validator: tag))
                }
            }
            let isTruncated = S3Answer.text("IsTruncated", in: response.body) == "true"
            token = isTruncated ? S3Answer.text("NextContinuationToken", in: response.body) : nil
            guard token != nil else {
                _ = page(objects)
                return true
            }
            guard page(objects) else { return false }
        } while true
    }
}
