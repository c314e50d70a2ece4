import CanonicalJSON
import Glibc
import StageGraph

/// A pipeline read from a YAML file, with what the command line set in it.
public struct PipelineFile: Sendable {
    /// The path as the user gave it.
    public let path: String
    public let pipeline: Pipeline
    /// The parameters' values in this run, defaults and overrides alike.
    public let parameters: JSONObject
    /// Parameters that no stage uses, in the order of the file: worth a warning.
    public let unusedParameters: [Located<String>]
    /// Where results are shared.
    public let tiers: [TierDeclaration]

    /// Reads a pipeline file.
    ///
    /// - Parameters:
    ///   - path: The file. Paths written in it are relative to its directory.
    ///   - overrides: Values for parameters, as in `--set name=value`; of two for one name the later wins. A value
    ///     that begins with `[`, `{` or a quote is read as YAML, any other as a plain scalar. Relative paths in values
    ///     are relative to `workingDirectory`.
    ///   - workingDirectory: The current directory by default.
    /// - Throws: ``InvalidPipeline`` with every mistake that can be told, each with its line and column.
    /// - Complexity: O(size of the file), besides fanning out matrices.
    public static func load(
        path: String, overrides: [(name: String, value: String)] = [], library: StageLibrary,
        workingDirectory: String = "."
    ) throws(InvalidPipeline) -> PipelineFile {
        try parse(
            readFile(path), file: path, baseDirectory: directory(of: path), overrides: overrides, library: library,
            workingDirectory: workingDirectory)
    }

    /// Reads a pipeline from the bytes of a file; see ``load(path:overrides:library:workingDirectory:)``.
    ///
    /// - Parameters:
    ///   - file: The file's name in messages.
    ///   - baseDirectory: What paths written in the file are relative to.
    public static func parse(
        _ bytes: [UInt8], file: String, baseDirectory: String, overrides: [(name: String, value: String)] = [],
        library: StageLibrary, workingDirectory: String = "."
    ) throws(InvalidPipeline) -> PipelineFile {
        var yaml = YAMLReader(try SourceText(bytes, file: file))
        guard let root = yaml.root() else {
            let empty = Diagnostic(
                "the file is empty; a pipeline file begins with \"retort: 1\"",
                at: SourceLocation(file: file, line: 1, column: 1))
            throw InvalidPipeline(yaml.diagnostics.isEmpty ? [empty] : yaml.diagnostics)
        }
        var reader = DraftReader(baseDirectory: baseDirectory, workingDirectory: workingDirectory)
        let draft = reader.draft(root, overrides: overrides)
        var diagnostics = yaml.diagnostics + reader.diagnostics
        var pipeline: Pipeline?
        if let draft {
            let result = draft.diagnosed(against: library)
            pipeline = result.pipeline
            diagnostics += result.diagnostics
        }
        var seen: Set<Diagnostic> = []
        diagnostics = diagnostics.filter { seen.insert($0).inserted }
        guard let pipeline, diagnostics.isEmpty else { throw InvalidPipeline(diagnostics) }
        return PipelineFile(
            path: file, pipeline: pipeline, parameters: reader.variables.values,
            unusedParameters: reader.variables.unused, tiers: reader.tiers)
    }
}

/// The file's bytes, at most one more than a pipeline file may have.
private func readFile(_ path: String) throws(InvalidPipeline) -> [UInt8] {
    func failure(_ reason: String) -> InvalidPipeline {
        InvalidPipeline([Diagnostic("cannot read the pipeline file \(path): \(reason)", at: nil)])
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(systemMessage(errno)) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= SourceText.maximumSize {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw failure(systemMessage(errno)) }
        if count == 0 { break }
        bytes.append(contentsOf: buffer[..<count])
    }
    return bytes
}

private func systemMessage(_ code: Int32) -> String {
    switch code {
    case ENOENT: "there is no such file"
    case EISDIR: "it is a directory"
    case EACCES: "permission denied"
    default: String(cString: strerror(code))
    }
}

private func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
