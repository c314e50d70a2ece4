import ContentStore
import HTTPTransport

/// Large objects go in parts: a part that fails is sent again alone, and nothing is seen before all are there.
extension S3Storage {
    /// S3 takes 10 000 parts of at least 5 MiB.
    static func partBytes(of bytes: Int) -> Int { max(16 << 20, (bytes + 8999) / 9000) }

    /// Parts under way at once.
    private static let width = 4

    func writeParts(_ object: ObjectName, fileAt path: String, bytes: Int) async throws {
        let started = try await transfer.send(WebRequest(.post, address(object, query: "uploads=")))
        guard let id = S3Answer.text("UploadId", in: started.body) else {
            throw TierError(
                .unsupported, tier, "the server started no multipart upload",
                remedy: "check that the endpoint is an S3 server")
        }
        let upload = PercentEncoding.encode(id)
        do {
            let size = S3Storage.partBytes(of: bytes)
            let parts = (0..<(bytes + size - 1) / size).map { index in
                (number: index + 1, offset: index * size, count: min(size, bytes - index * size))
            }
            let tags = try await concurrently(parts, width: S3Storage.width) { part in
                let address = self.address(object, query: "partNumber=\(part.number)&uploadId=\(upload)")
                let body = WebRequest.Body.file(path: path, offset: part.offset, count: part.count)
                let response = try await self.transfer.send(WebRequest(.put, address, body: body))
                guard let tag = response[header: "ETag"] else {
                    throw TierError(
                        .unsupported, self.tier, "the server named no ETag for a part",
                        remedy: "check that the endpoint is an S3 server")
                }
                return tag
            }
            try await complete(object, upload, tags)
        } catch {
            // What is left of an upload costs money; failing to clear it is the bucket's lifecycle rules' business.
            _ = try? await transfer.send(
                WebRequest(.delete, address(object, query: "uploadId=\(upload)")), accepting: [404])
            throw error
        }
    }

    private func complete(_ object: ObjectName, _ upload: String, _ tags: [String]) async throws {
        let parts = tags.enumerated().map { index, tag in
            let escaped = tag.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            return "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(escaped)</ETag></Part>"
        }
        let document = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        let request = WebRequest(
            .post, address(object, query: "uploadId=\(upload)"), headers: [("Content-Type", "application/xml")],
            body: .bytes(Array(document.utf8)))
        let response = try await transfer.send(request)
        // S3 may answer 200 and fail afterwards.
        if let code = S3Answer.text("Code", in: response.body) {
            throw TierError(
                .unreachable, tier, "the server could not put the parts of \(object.path) together (\(code))",
                remedy: "try again")
        }
    }
}
