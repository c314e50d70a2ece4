import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Testing

@testable import Students

/// Adapters against values of transformers and PEFT, in double precision and in float32.
@Suite(.needsGoldens) struct GoldenAdapterTests {
    static let names = ["llama_qv", "llama_all_linear", "qwen2_qv"]

    /// The adapter's directory, its base checkpoint, and that checkpoint's batch.
    private func open(_ name: String) throws -> (directory: String, checkpoint: Checkpoint, batch: GoldenBatch) {
        let directory = "\(Goldens.directory)/lora/\(name)"
        let configuration = try Goldens.json("lora/\(name)/adapter_config.json")
        let base = try #require(configuration["base_model_name_or_path"]?.string?.split(separator: "/").last)
        return (directory, try Goldens.checkpoint(String(base)), try GoldenBatch(String(base)))
    }

    private func logits(_ model: Decoder, _ golden: GoldenBatch) throws -> [Double] {
        try withoutGradients {
            var batch = PackedBatch()
            let starts = golden.rows.map { batch.append($0).lowerBound }
            let rows = golden.logitsAt.map { Int64(starts[$0.row] + $0.position) }
            return try model(batch.tokens, segments: batch.segments).rows(rows).linear(model.output).doubles()
        }
    }

    @Test("Logits with PEFT's adapters, on top and merged, equal PEFT's", arguments: names)
    func logits(name: String) throws {
        let (directory, checkpoint, golden) = try open(name)
        let expected = try SafetensorsArchive(mapping: "\(directory)/expected.safetensors")
        for (type, tolerance) in [(Tensor.Element.float64, 1e-10), (.float32, 1e-5)] {
            let adapter = try Adapter(directory: directory, for: checkpoint, type: type)
            let model = try checkpoint.model(type: type, positions: 64, adapter: adapter)
            let wanted = try expected.values("adapter_logits_f64", as: Double.self)
            #expect(relativeDifference(try logits(model, golden), from: wanted) < tolerance)
            let merged = try model.merged()
            #expect(merged.adapter == nil)
            let wantedMerged = try expected.values("merged_logits_f64", as: Double.self)
            #expect(relativeDifference(try logits(merged, golden), from: wantedMerged) < tolerance)
            let query = try #require(
                merged.parameters.first { $0.name == "model.layers.0.self_attn.q_proj.weight" })
            let wantedQuery = try expected.values("merged_q_proj_layer0_f64", as: Double.self)
            #expect(relativeDifference(try query.tensor.doubles(), from: wantedQuery) < tolerance)
        }
    }

    @Test("Five AdamW steps on an adapter equal PEFT's with torch.optim.AdamW", arguments: names)
    func training(name: String) throws {
        let (directory, checkpoint, golden) = try open(name)
        let expected = try Goldens.json("lora/\(name)/training.json")
        let losses = try #require(expected["losses64"]?.array).compactMap(\.double)
        let norms = try #require(expected["grad_norms64"]?.array).compactMap(\.double)
        for (type, tolerance) in [(Tensor.Element.float64, 1e-9), (.float32, 1e-5)] {
            let adapter = try Adapter(directory: directory, for: checkpoint, type: type)
            let model = try checkpoint.model(type: type, positions: 64, adapter: adapter)
            var job = Samples.job(.sft, samples: golden.rows.count)
            job.optimizer = OptimizerSettings(learningRate: try #require(expected["optimizer"]?["lr"]?.double))
            job.optimizer.clipNorm = nil
            job.epochs = 6
            let trainer = try Trainer(model: model, data: .tokens(golden.records), job: job)
            for index in losses.indices {
                let step = try #require(try trainer.advance())
                #expect(abs(step.loss / losses[index] - 1) < tolerance)
                #expect(abs(step.gradientNorm / norms[index] - 1) < tolerance)
            }
            let final = try SafetensorsArchive(
                mapping: "\(directory)/final_adapter_f64.safetensors")
            if type == .float64 {
                for parameter in adapter.parameters {
                    let wanted = try final.values(parameter.name, as: Double.self)
                    #expect(largestDifference(try parameter.tensor.doubles(), wanted) < 1e-9, "\(parameter.name)")
                }
            }
            let after = try #require(try trainer.advance()).loss
            let wanted = try #require(expected["loss_after64"]?.double)
            #expect(abs(after / wanted - 1) < tolerance)
            // The model itself never moved, and no gradient of it was computed.
            for parameter in model.parameters { #expect(try parameter.tensor.gradient() == nil, "\(parameter.name)") }
        }
    }

    @Test("What is written is what PEFT wrote", arguments: names)
    func writing(name: String) throws {
        let (directory, checkpoint, _) = try open(name)
        let scratch = ScratchDirectory()
        let copy = "\(scratch.path)/adapter"
        try Adapter(directory: directory, for: checkpoint).write(to: copy, base: checkpoint, baseName: "base")
        let theirs = try SafetensorsArchive(mapping: "\(directory)/adapter_model.safetensors")
        let ours = try SafetensorsArchive(mapping: "\(copy)/adapter_model.safetensors")
        #expect(ours.names == theirs.names)
        for name in ours.names {
            #expect(try ours.values(name, as: Float.self) == theirs.values(name, as: Float.self))
        }
        let read = try Adapter(directory: copy, for: checkpoint)
        #expect(read.settings == (try Adapter(directory: directory, for: checkpoint)).settings)
    }
}
