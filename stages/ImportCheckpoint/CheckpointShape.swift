import CanonicalJSON
import StageGraph
import StudentJobs

/// A checkpoint directory that has config.json and no weights: a model to be initialised at random.
struct CheckpointShape {
    private let file: String
    private let object: JSONObject

    /// Nil where the directory has weights.
    ///
    /// - Throws: ``DataFileError`` or a file's error when config.json cannot be read.
    init?(directory: String) throws {
        let weights = ["model.safetensors", "model.safetensors.index.json"]
        if weights.contains(where: { FileBytes.exists("\(directory)/\($0)") }) { return nil }
        file = "config.json"
        do {
            guard let object = try JSON.parse(FileBytes.read("\(directory)/config.json")).object else {
                throw DataFileError("config.json", "should be an object")
            }
            self.object = object
        } catch let error as JSONSyntaxError {
            throw DataFileError("config.json:\(error.line):\(error.column)", error.message)
        }
    }

    /// The configuration with the vocabulary and end token of a tokenizer.
    func configuration(for tokenizer: StudentTokenizer) throws -> ModelConfiguration {
        var object = object
        object["vocab_size"] = .integer(Int64(tokenizer.size))
        object["eos_token_id"] = .integer(Int64(tokenizer.endToken))
        do { return try ModelConfiguration(json: object) } catch { throw DataFileError(file, "\(error)") }
    }
}
