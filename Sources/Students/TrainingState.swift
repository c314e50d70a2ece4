import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors

/// What a training run needs to go on where it was interrupted, as one safetensors file that is replaced in one step.
///
///     parameter.NAME, first.NAME, second.NAME     each trained parameter and its moments
///     log                                         the log so far, bytes
///
/// The number of steps taken is in the metadata. It fixes the learning rate and the place in the data, and everything
/// random is a function of the seed and the step, so nothing else has to be kept.
struct TrainingState {
    static let fileName = "training-state.safetensors"
    static let format = "retort-training-state/1"

    let path: String
    /// What the run is, in every respect that decides its result; a state of another run is refused.
    let identity: JSONObject

    init(directory: String, identity: JSONObject) {
        path = "\(directory)/\(Self.fileName)"
        self.identity = identity
    }

    /// Saves a run. A full disk, or the end of the process at any moment, leaves the state that was there before.
    ///
    /// - Throws: `SafetensorsError` naming the file and the cause.
    func save(_ trainer: Trainer, log: [UInt8], tokens: Int) throws {
        let contents = trainer.content
        let layout = try SafetensorsLayout(
            contents.map { (name: $0.name, type: $0.tensor.type.safetensorsType, shape: $0.tensor.shape) }
                + [(name: "log", type: .uint8, shape: [log.count])],
            metadata: [
                ("format", Self.format), ("identity", JSON.object(identity).canonicalText),
                ("step", "\(trainer.step)"), ("tokens", "\(tokens)"),
            ], source: path)
        let tensors = Dictionary(contents.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        try SafetensorsArchive.write(layout, to: path) { entry, emit in
            if let tensor = tensors[entry.name] {
                try tensor.withBytes(emit)
            } else {
                try log.withUnsafeBytes(emit)
            }
        }
    }

    /// Brings a new run to where it was saved.
    ///
    /// - Returns: the log and the number of tokens so far, or nil where nothing was saved.
    /// - Throws: ``StudentError`` or `SafetensorsError` for a file that is damaged or is the state of another run.
    func restore(_ trainer: Trainer) throws -> (log: [UInt8], tokens: Int)? {
        guard FileSystem.isFile(path) else { return nil }
        let archive = try SafetensorsArchive(mapping: path)
        guard archive.header.metadata("format") == Self.format,
            let step = archive.header.metadata("step").flatMap({ Int($0) }), 0...trainer.plan.steps ~= step,
            let tokens = archive.header.metadata("tokens").flatMap({ Int($0) })
        else { throw fault("is no training state that this program wrote") }
        try checkIdentity(archive.header.metadata("identity") ?? "")
        for content in trainer.content {
            let entry = try archive.entry(content.name)
            guard entry.shape == content.tensor.shape, entry.type == content.tensor.type.safetensorsType else {
                throw fault("has another \(content.name) than this run")
            }
            try archive.withBytes(of: entry) { try content.tensor.assign($0) }
        }
        trainer.resume(at: step)
        return (try archive.values("log", as: UInt8.self), tokens)
    }

    private func checkIdentity(_ text: String) throws {
        guard let saved = try? JSON.parse(Array(text.utf8)).object, saved != identity else {
            if text == JSON.object(identity).canonicalText { return }
            throw fault("is no training state that this program wrote")
        }
        let keys = Set(saved.keys + identity.keys).sorted { compareUTF8($0, $1) < 0 }
        let changed = keys.filter { saved[$0] != identity[$0] }
        throw fault("is the state of another run: \(changed.joined(separator: ", ")) changed since")
    }

    private func fault(_ problem: String) -> StudentError {
        StudentError(path, "\(problem); remove it to begin again, or give another directory")
    }
}

extension TrainingJob {
    /// What decides the result of the job: its settings, its samples, and the weights it starts from. No paths.
    ///
    /// - Parameters:
    ///   - base: of a checkpoint that stays as it is.
    ///   - trained: the trained parameters as they are at the start.
    func identity(_ data: TrainingSet, base: BaseFingerprint?, trained: [Parameter]) throws -> JSONObject {
        var object = json.object!
        for key in ["data", "model", "adapter", "tokenizer", "output", "log", "resume", "epoch_outputs"] {
            object[key] = nil
        }
        object["samples"] = .string(data.digest)
        object["base"] = base?.json
        var hash = StableHash()
        for parameter in trained {
            hash.add(parameter.name.utf8)
            try parameter.tensor.withBytes { hash.add($0.prefix(4096)) }
        }
        object["initial"] = .string(hash.hex)
        return object
    }
}
