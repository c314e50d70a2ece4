import CanonicalJSON
import StudentJobs

/// Writes what a training job makes: the checkpoint, or the adapter, at the end and after each epoch.
struct TrainingOutput {
    let job: TrainingJob
    let checkpoint: Checkpoint?
    /// config.json of a whole model.
    let configuration: JSONObject

    /// Writes the model as it is now; the directory appears complete or not at all.
    func write(_ model: Decoder, to directory: String) throws {
        let tokenizer = job.tokenizer ?? checkpoint?.directory
        if let adapter = model.adapter, !job.mergesAdapter {
            let name = checkpoint?.configurationJSON["_name_or_path"]?.string
            return try adapter.write(to: directory, base: checkpoint, baseName: name, tokenizer: tokenizer)
        }
        try Checkpoint.write(
            model.merged(), configuration: configuration, tokenizer: tokenizer,
            to: directory)
    }

    /// After a step that ends an epoch, writes that epoch's output where the job wants it.
    func writeEpoch(_ model: Decoder, step: Int, of plan: TrainingPlan) throws {
        guard let directory = job.epochOutputs, step % plan.stepsPerEpoch == 0 || step == plan.steps else { return }
        let epoch = (step + plan.stepsPerEpoch - 1) / plan.stepsPerEpoch
        let path = "\(directory)/epoch-\(epoch)"
        guard !FileSystem.isDirectory(path) else { return }
        try FileSystem.makeDirectory(directory)
        try write(model, to: path)
    }
}
