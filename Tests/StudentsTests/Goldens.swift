import CanonicalJSON
import Safetensors
import StudentJobs
import Testing

@testable import Students

/// Reference values of the Hugging Face stack, kept beside the checkout; tests that need them are skipped without.
enum Goldens {
    static let directory: String = {
        var parts = #filePath.split(separator: "/").dropLast(3)
        parts.removeLast()
        return "/" + parts.joined(separator: "/") + "/shared/goldens"
    }()

    static let exist = FileSystem.isFile("\(directory)/manifest.json")

    static let checkpoints = [
        "llama_gqa_tied", "llama_gqa_untied", "llama_mha_theta500k", "llama3_rope_scaled", "mistral_full",
        "mistral_window", "qwen2_bias_tied", "qwen3_qknorm",
    ]

    static func json(_ path: String) throws -> JSON { try JSON.parse(FileSystem.read("\(directory)/\(path)")) }

    static func checkpoint(_ name: String) throws -> Checkpoint {
        try Checkpoint(directory: "\(directory)/checkpoints/\(name)")
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips with a reason where the reference values are not there.
    static var needsGoldens: Self {
        .enabled(if: Goldens.exist, "reference values of the Hugging Face stack are not at ../shared/goldens")
    }
}

/// The batch of a golden checkpoint, padding taken off.
struct GoldenBatch {
    let rows: [[Int32]]
    let promptLengths: [Int]
    let nll: [[Double]]
    let logitsAt: [(row: Int, position: Int)]
    let logits: [[Double]]

    init(_ name: String) throws {
        let archive = try SafetensorsArchive(mapping: "\(Goldens.directory)/checkpoints/\(name)/expected.safetensors")
        let shape = try archive.entry("input_ids").shape
        func matrix<Value>(_ values: [Value], _ width: Int) -> [[Value]] {
            stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
        }
        let ids = matrix(try archive.values("input_ids", as: Int64.self), shape[1])
        let mask = matrix(try archive.values("attention_mask", as: Int64.self), shape[1])
        let labels = matrix(try archive.values("labels", as: Int64.self), shape[1])
        rows = zip(ids, mask).map { row, seen in zip(row, seen).filter { $0.1 == 1 }.map { Int32($0.0) } }
        promptLengths = labels.map { $0.firstIndex { $0 != -100 } ?? 0 }
        nll = matrix(try archive.values("nll_f64", as: Double.self), shape[1])
        logitsAt = matrix(try archive.values("logits_at", as: Int64.self), 2).map { (Int($0[0]), Int($0[1])) }
        logits = matrix(
            try archive.values("logits_f64", as: Double.self), try archive.entry("logits_f64").shape[1])
    }

    /// The batch as training samples.
    var records: [TokenRecord] {
        rows.indices.map {
            TokenRecord(
                id: "row-\($0)", prompt: Array(rows[$0].prefix(promptLengths[$0])),
                completion: Array(rows[$0].dropFirst(promptLengths[$0])))
        }
    }
}

/// The largest absolute difference; not finite when the lengths differ or a value is not a number.
func largestDifference(_ a: some Collection<Double>, _ b: some Collection<Double>) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { largest, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}

/// The largest difference as a share of the largest expected magnitude.
func relativeDifference(_ values: some Collection<Double>, from expected: some Collection<Double>) -> Double {
    largestDifference(values, expected) / expected.reduce(0) { max($0, abs($1)) }
}
