import CanonicalJSON
import StudentJobs
import Tensors
import Testing

@testable import Students

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// Random configurations of every family against transformers and PEFT, in both directions: RETORT_PYTHON names an
/// interpreter that has them.
@Suite struct PythonComparisonTests {
    static let python: String? = getenv("RETORT_PYTHON").map { String(cString: $0) }

    private static let script: String = {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return "/\(folder)/Python/compare_students.py"
    }()

    private func run(_ arguments: String...) throws {
        let worker = try WorkerProcessTests.Worker(
            program: "/bin/sh", arguments: ["-c", "exec \"$@\"", "sh", #require(Self.python), Self.script] + arguments)
        #expect(worker.finish().status == 0)
    }

    private func logits(_ model: Decoder, _ ids: [Int32]) throws -> [Double] {
        try withoutGradients {
            try model(ids.map(Int64.init), segments: [Segment(rows: 0..<ids.count)])
                .rows([Int64(ids.count - 1)]).linear(model.output).doubles()
        }
    }

    @Test(.enabled(if: PythonComparisonTests.python != nil, "RETORT_PYTHON is not set")) func randomConfigurations()
        throws
    {
        let scratch = ScratchDirectory()
        let count = 24
        try run("make", scratch.path, "7", "\(count)")
        for index in 0..<count {
            let folder = "\(scratch.path)/case-\(index)"
            let expected = try JSON.parse(FileSystem.read("\(folder)/expected.json"))
            func numbers(_ key: String) throws -> [Double] { try #require(expected[key]?.array).compactMap(\.double) }
            let ids = try numbers("ids").map { Int32($0) }
            let prompt = try #require(expected["prompt"]?.integer)
            let checkpoint = try Checkpoint(directory: "\(folder)/base")
            let base = try logits(checkpoint.model(), ids)
            #expect(relativeDifference(base, from: try numbers("base")) < 1e-5, "\(folder)")
            let adapter = try Adapter(directory: "\(folder)/adapter", for: checkpoint)
            let model = try checkpoint.model(adapter: adapter)
            #expect(relativeDifference(try logits(model, ids), from: try numbers("adapter")) < 1e-5, "\(folder)")

            let record = TokenRecord(id: "x", prompt: Array(ids[..<prompt]), completion: Array(ids[prompt...]))
            var job = Samples.job(.sft)
            job.optimizer = OptimizerSettings(learningRate: 1e-3, weightDecay: 0.01, clipNorm: nil)
            job.epochs = 4
            let trainer = try Trainer(model: model, data: .tokens([record]), job: job)
            for loss in try numbers("losses") {
                let step = try #require(try trainer.advance())
                #expect(abs(step.loss / loss - 1) < 1e-5, "\(folder)")
            }
            // A plain adapter of ours, for PEFT to load; theirs may scale by the root of the rank.
            let ours = try Adapter.new(
                LoRASettings(rank: 3, alpha: 5, targets: ["q_proj", "down_proj"]), for: checkpoint.configuration,
                seed: UInt64(index))
            for parameter in ours.parameters where parameter.name.hasSuffix(Adapter.upSuffix) {
                var stream = RandomStream(seed: UInt64(index), path: RandomStream.path(parameter.name))
                try stream.normals(parameter.tensor.count, deviation: 0.2).withUnsafeBytes {
                    try parameter.tensor.assign($0)
                }
            }
            try ours.write(to: "\(folder)/ours", base: checkpoint)
            try Checkpoint.write(
                checkpoint.model(adapter: ours).merged(), configuration: checkpoint.configurationJSON, tokenizer: nil,
                to: "\(folder)/merged")
        }
        try run("check", scratch.path)
        let theirs = try JSON.parse(FileSystem.read("\(scratch.path)/check.json"))
        for index in 0..<count {
            let folder = "\(scratch.path)/case-\(index)"
            let ids = try #require(try JSON.parse(FileSystem.read("\(folder)/expected.json"))["ids"]?.array)
                .compactMap { $0.integer.map { Int32($0) } }
            let checkpoint = try Checkpoint(directory: "\(folder)/base")
            let adapter = try Adapter(directory: "\(folder)/ours", for: checkpoint)
            let own = try logits(checkpoint.model(adapter: adapter), ids)
            for key in ["case-\(index)", "case-\(index)/merged"] {
                let wanted = try #require(theirs[key]?.array).compactMap(\.double)
                #expect(relativeDifference(own, from: wanted) < 1e-5, "\(key)")
            }
        }
    }
}
