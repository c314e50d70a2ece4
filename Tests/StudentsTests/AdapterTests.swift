import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Testing

@testable import Students

@Suite struct AdapterTests {
    static let settings = LoRASettings(rank: 3, alpha: 6, dropout: 0, targets: ["q_proj", "v_proj", "down_proj"])

    private var configuration: DecoderConfiguration { DecoderConfiguration(Samples.configuration) }

    /// A model in double precision with an adapter whose B is not zero.
    private func model(
        _ settings: LoRASettings = AdapterTests.settings, seed: UInt64 = 2
    ) throws -> (model: Decoder, adapter: Adapter) {
        let base = try Samples.exactModel()
        for parameter in base.parameters { try parameter.tensor.setRequiresGradient(false) }
        let fresh = try Adapter.new(settings, for: configuration, seed: seed, type: .float64)
        var stream = RandomStream(seed: seed, path: 7)
        let adapter = Adapter(
            settings,
            parameters: try fresh.parameters.map { parameter in
                guard parameter.name.hasSuffix(Adapter.upSuffix) else { return parameter }
                let values = stream.normals(parameter.tensor.count, deviation: 0.2).map(Double.init)
                return Parameter(name: parameter.name, tensor: try Tensor(values, shape: parameter.tensor.shape))
            })
        return (
            try Decoder(
                configuration, parameters: base.parameters, adapter: adapter, positions: 48, activation: .float64),
            adapter
        )
    }

    private func loss(_ model: Decoder, dropoutKey: UInt64? = nil) throws -> Double {
        model.dropoutKey = dropoutKey
        let batch = PackedBatch(Samples.counting(5), weight: 0.1)
        return try withoutGradients { try model.score(batch).loss.scalar() }
    }

    @Test func trainingBeginsAtTheModelItself() throws {
        let base = try Samples.exactModel()
        let adapter = try Adapter.new(Self.settings, for: configuration, seed: 1, type: .float64)
        let model = try Decoder(
            configuration, parameters: base.parameters, adapter: adapter, positions: 48, activation: .float64)
        #expect(try loss(model) == loss(base))
        #expect(adapter.parameters.count == 2 * 2 * 3)
        #expect(model.trained.map(\.name) == adapter.parameters.map(\.name))
        let down = try #require(adapter.parameters.first).tensor
        let bound = 1 / Double(configuration.hiddenSize).squareRoot()
        #expect(try down.doubles().allSatisfy { abs($0) < bound } && Set(down.doubles()).count > 50)
    }

    @Test func mergingGivesTheSameModel() throws {
        let (model, _) = try model()
        let plain = try Samples.exactModel()
        #expect(abs(try loss(model) - loss(plain)) > 1e-3)
        #expect(abs(try loss(model.merged()) - loss(model)) < 1e-12)
    }

    @Test(arguments: [0.0, 0.4]) func gradientsAgreeWithFiniteDifferences(dropout: Double) throws {
        var settings = Self.settings
        settings.dropout = dropout
        let (model, adapter) = try model(settings)
        let batch = PackedBatch(Samples.counting(3), weight: 0.1)
        model.dropoutKey = 5
        for parameter in adapter.parameters { try parameter.tensor.setRequiresGradient(true) }
        try model.accumulateGradients(of: batch)
        for parameter in adapter.parameters {
            let gradient = try #require(try parameter.tensor.gradient()).doubles()
            var values = try parameter.tensor.doubles()
            for index in stride(from: 0, to: values.count, by: 17) {
                func shifted(_ shift: Double) throws -> Double {
                    values[index] += shift
                    defer { values[index] -= shift }
                    try values.withUnsafeBytes { try parameter.tensor.assign($0) }
                    return try withoutGradients { try model.score(batch).loss.scalar() }
                }
                let numeric = try (shifted(1e-5) - shifted(-1e-5)) / 2e-5
                #expect(abs(gradient[index] - numeric) < 1e-7, "\(parameter.name) \(index)")
            }
            try values.withUnsafeBytes { try parameter.tensor.assign($0) }
        }
    }

    @Test func dropoutIsAFunctionOfItsKey() throws {
        var settings = Self.settings
        settings.dropout = 0.5
        let (model, _) = try model(settings)
        let first = try loss(model, dropoutKey: 1)
        #expect(try loss(model, dropoutKey: 1) == first)
        #expect(try loss(model, dropoutKey: 2) != first)
        let (plain, _) = try self.model()
        #expect(try loss(model) == loss(plain))
    }

    @Test(arguments: [true, false]) func recomputationGivesTheSameGradients(usesAdapter: Bool) throws {
        var settings = Self.settings
        settings.dropout = 0.3
        let model = try usesAdapter ? model(settings).model : Samples.exactModel()
        for parameter in model.trained { try parameter.tensor.setRequiresGradient(true) }
        model.dropoutKey = 9
        let pairs = PairBatch(Samples.pairs, settings: KRSLSettings(beta: 0.5), count: 6).packed
        for batch in [PackedBatch(Samples.counting(4), weight: 0.1), pairs] {
            var results: [(loss: Double, gradients: [Double])] = []
            for recomputes in [false, true] {
                let scored = try model.accumulateGradients(of: batch, recomputes: recomputes)
                let gradients = try model.trained.flatMap { parameter in
                    try #require(try parameter.tensor.gradient(), "\(parameter.name)").doubles()
                }
                results.append((try scored.loss.scalar(), gradients))
                for parameter in model.trained { parameter.tensor.clearGradient() }
            }
            #expect(results[0].loss == results[1].loss)
            #expect(largestDifference(results[0].gradients, results[1].gradients) < 1e-14)
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let scratch = ScratchDirectory()
        let directory = "\(scratch.path)/adapter"
        let (_, adapter) = try model()
        try adapter.write(to: directory, base: nil)
        #expect(try FileSystem.list(directory) == ["adapter_config.json", "adapter_model.safetensors"])
        let read = try Adapter(directory: directory, configuration: configuration, base: nil, type: .float64)
        #expect(read.settings == adapter.settings)
        for (a, b) in zip(read.parameters, adapter.parameters) {
            #expect(a.name == b.name)
            #expect(try a.tensor.doubles() == b.tensor.doubles())
        }
    }
}
