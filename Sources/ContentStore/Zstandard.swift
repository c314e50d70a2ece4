import CZstd

/// Zstandard files from elsewhere: any number of frames, sizes declared or not.
public enum Zstandard {
    /// The first bytes of a zstd frame (RFC 8878, 3.1.1).
    private static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    /// One or several zstd frames with the content `bytes`.
    public static func compress(_ bytes: [UInt8], level: Int = 3) -> [UInt8] {
        bytes.withUnsafeBytes { content in
            stride(from: 0, through: max(0, content.count - 1), by: ZstdFrames.contentBytes).flatMap { start in
                let end = min(start + ZstdFrames.contentBytes, content.count)
                return BlobFile.compress(UnsafeRawBufferPointer(rebasing: content[start..<end]), level: level)
            }
        }
    }

    /// The content of a zstd file; other bytes as they are.
    ///
    /// - Parameters:
    ///   - name: What to call the file in errors.
    ///   - limit: How many bytes it may decompress to.
    /// - Throws: ``ContentStoreError``: `malformed` for a damaged or truncated file, `tooLarge` past the limit.
    public static func decompressIfCompressed(_ bytes: [UInt8], name: String, limit: Int) throws -> [UInt8] {
        guard bytes.starts(with: magic) else { return bytes }
        guard let stream = ZSTD_createDStream() else { fatalError("no memory for a zstd context") }
        defer { ZSTD_freeDStream(stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
        try bytes.withUnsafeBytes { source in
            var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
            var hint = 1
            while input.pos < input.size || hint != 0 {
                let produced = try chunk.withUnsafeMutableBytes { target -> Int in
                    var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                    hint = ZSTD_decompressStream(stream, &output, &input)
                    guard ZSTD_isError(hint) == 0 else {
                        throw damaged(name, String(cString: ZSTD_getErrorName(hint)))
                    }
                    return output.pos
                }
                guard content.count + produced <= limit else {
                    throw ContentStoreError(
                        .tooLarge, name, "decompresses to more than \(limit) bytes", remedy: "split the file")
                }
                content.append(contentsOf: chunk[..<produced])
                if input.pos == input.size && hint != 0 && produced < chunk.count {
                    throw damaged(name, "it ends inside a frame")
                }
            }
        }
        return content
    }

    private static func damaged(_ name: String, _ problem: String) -> ContentStoreError {
        ContentStoreError(
            .malformed, name, "is no intact zstd file: \(problem)",
            remedy: "fetch or compress it again; zstd -t checks it")
    }
}
