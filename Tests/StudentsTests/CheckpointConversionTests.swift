import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Testing

@testable import Students

/// Checkpoints written again: in another type and in several files.
@Suite struct CheckpointConversionTests {
    private let scratch = ScratchDirectory()

    private func checkpoint() throws -> (directory: String, model: Decoder) {
        let directory = "\(scratch.path)/checkpoint"
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 4)
        try Checkpoint.write(
            model, configuration: Samples.configuration.json.object!, tokenizer: nil, to: directory)
        return (directory, model)
    }

    private func convert(_ job: ConversionJob) throws {
        try JobRunner(report: { _ in }, clock: { 0 }).run(.convert(job))
    }

    @Test func shardsHoldTheSameTensors() throws {
        let (directory, model) = try checkpoint()
        let output = "\(scratch.path)/sharded"
        try convert(ConversionJob(checkpoint: directory, output: output, shardBytes: 20_000))
        let files = try FileSystem.list(output)
        #expect(files.contains("model-00001-of-0000\(files.count - 2).safetensors"))
        #expect(files.contains("model.safetensors.index.json") && !files.contains("model.safetensors"))
        let read = try Checkpoint(directory: output)
        #expect(read.archives.count == files.count - 2)
        for archive in read.archives {
            let bytes = archive.header.entries.reduce(0) { $0 + $1.range.count }
            #expect(bytes <= 20_000 || archive.names.count == 1)
        }
        for (a, b) in zip(try read.model().parameters, model.parameters) {
            #expect(a.name == b.name)
            #expect(try a.tensor.doubles() == b.tensor.doubles())
        }
        let back = "\(scratch.path)/back"
        try convert(ConversionJob(checkpoint: output, output: back))
        #expect(
            try FileSystem.read("\(back)/model.safetensors") == FileSystem.read("\(directory)/model.safetensors"))
    }

    @Test(arguments: [ConversionJob.ElementType.bfloat16, .float16])
    func theTypeOfTensorsAndConfigurationChangesTogether(type: ConversionJob.ElementType) throws {
        let (directory, model) = try checkpoint()
        let output = "\(scratch.path)/narrow"
        try convert(ConversionJob(checkpoint: directory, output: output, type: type))
        let read = try Checkpoint(directory: output)
        #expect(read.configurationJSON["torch_dtype"] == .string(type.rawValue))
        for (a, b) in zip(try read.model().parameters, model.parameters) {
            let rounded = try b.tensor.converted(to: Tensor.Element(type)).doubles()
            #expect(try a.tensor.doubles() == rounded)
        }
    }

    @Test func anOutputThatExistsIsLeftAlone() throws {
        let (directory, _) = try checkpoint()
        do {
            try convert(ConversionJob(checkpoint: directory, output: directory))
            Issue.record("was overwritten")
        } catch {
            #expect("\(error)".hasSuffix("exists already; a checkpoint is written to a new directory"))
        }
    }

    @Test func layoutsFillFilesInOrder() {
        let layout = ShardedLayout([("a", 4), ("b", 4), ("c", 20), ("d", 1)], limit: 8)
        #expect(layout.files.map(\.tensors) == [["a", "b"], ["c"], ["d"]])
        #expect(layout.files[2].name == "model-00003-of-00003.safetensors")
        #expect(ShardedLayout([("a", 4), ("b", 4)], limit: nil).files.map(\.name) == ["model.safetensors"])
    }

    @Test func inspectionCountsWhatIsThere() throws {
        let (directory, model) = try checkpoint()
        let description = try CheckpointInspection.describe(directory)
        let parameters = model.parameters.reduce(0) { $0 + $1.tensor.count }
        #expect(description["kind"] == "checkpoint")
        #expect(description["family"] == "llama")
        #expect(description["parameters"]?.integer == parameters)
        #expect(description["types"] == ["F32": .integer(Int64(parameters))])
        #expect(description["layers"]?.integer == Samples.configuration.hiddenLayers)
        #expect(description["tokenizer"] == nil)
    }

    @Test func aDirectoryThatIsNoCheckpointSaysSo() throws {
        do {
            _ = try CheckpointInspection.describe("\(scratch.path)/nothing")
            Issue.record("was described")
        } catch {
            #expect("\(error)".hasSuffix("is no directory; a checkpoint is a directory with config.json"))
        }
    }
}
