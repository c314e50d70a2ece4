import CanonicalJSON
import Testing

@testable import StudentJobs

@Suite struct JobTests {
    static let configuration = ModelConfiguration(
        vocabSize: 512, hiddenSize: 96, intermediateSize: 256, hiddenLayers: 3, attentionHeads: 6, keyValueHeads: 2,
        maxPositions: 256, rmsNormEpsilon: 1e-6, ropeTheta: 100_000, tieWordEmbeddings: false, bosTokenID: nil,
        eosTokenID: 1)

    static let jobs: [StudentJob] = [
        .train(
            TrainingJob(
                model: .random(configuration, seed: .max), tokenizer: "tok", data: ["a.safetensors", "b.safetensors"],
                objective: .sft, optimizer: OptimizerSettings(learningRate: 2e-3, schedule: .cosine(floor: 0.1)),
                batch: BatchSettings(samples: 64, maxTokens: 4096, accumulation: 2), epochs: 2.5, seed: 7,
                output: "out", log: "log.jsonl")),
        .train(
            TrainingJob(
                model: .checkpoint("sft"), data: ["p"],
                objective: .krsl(
                    KRSLSettings(alpha: 0.5, beta: 0.1, gamma: 0.2, normalization: .sum, rejectedCeiling: 8)),
                optimizer: OptimizerSettings(
                    learningRate: 1e-5, beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1, clipNorm: nil,
                    schedule: .perEpoch(gamma: 0.95), warmUpSteps: 3),
                batch: BatchSettings(samples: 8), maxSteps: 10, seed: 0,
                execution: ExecutionSettings(device: .auto, precision: .bfloat16, threads: 2), output: "out")),
        .generate(
            GenerationJob(
                checkpoint: "c", prompts: "p.jsonl", output: "o.jsonl", maxNewTokens: 32, batch: 16,
                stopTokens: [1, 2], decodesText: true)),
        .score(
            ScoringJob(
                checkpoint: "c", adapter: "a", input: "i.jsonl", output: "o.jsonl", maxTokens: 512, appendsEnd: true)),
        .inspect(InspectionJob(directory: "c", output: "o.json")),
        .convert(ConversionJob(checkpoint: "c", output: "o")),
        .convert(ConversionJob(checkpoint: "c", adapter: "a", output: "o", type: .bfloat16, shardBytes: 1 << 30)),
    ]

    @Test(arguments: jobs) func jobsReadBack(job: StudentJob) throws {
        #expect(try StudentJob(fileBytes: job.fileBytes) == job)
    }

    @Test func objectivesReadBack() throws {
        for objective in [Objective.sft, .sftPerSample, .krsl(KRSLSettings()), .dpo(beta: 0.1)] {
            #expect(try Objective(json: #require(objective.json.object)) == objective)
        }
    }

    @Test func schedulesReadBack() throws {
        let schedules: [OptimizerSettings.Schedule] = [
            .constant, .linear(floor: 0), .cosine(floor: 0.25), .perEpoch(gamma: 0.95),
        ]
        for schedule in schedules {
            #expect(try OptimizerSettings.Schedule(json: #require(schedule.json.object)) == schedule)
        }
    }

    /// A field of the first job, replaced, and what the error says.
    static let mistakes: [(path: [String], value: JSON?, message: String)] = [
        (["job"], "test", #"field "job" should be train, generate, score, inspect or convert, found "test""#),
        (["job"], nil, #"field "job" is missing"#),
        (["data"], [], #"field "data" is []; it must name at least one file"#),
        (["data"], [1], #"field "data" should hold strings only, found an integer"#),
        (["epochs"], 0, #"field "epochs" is 0; it must be positive"#),
        (["max_steps"], 0, #"field "max_steps" is 0; it must be positive, or null for no limit"#),
        (["batch", "samples"], 0, #"field "samples" is 0; it must be at least 1"#),
        (["optimizer", "learning_rate"], -1, #"field "learning_rate" is -1; it must be positive"#),
        (["optimizer", "beta2"], 1, #"field "beta2" is 1; it must lie in [0, 1)"#),
        (
            ["optimizer", "schedule", "kind"], "step",
            #"field "kind" should be constant, linear, cosine or per_epoch, found "step""#
        ),
        (["execution", "threads"], 0, #"field "threads" is 0; it must be at least 1"#),
        (
            ["execution", "device"], "tpu", #"field "device" should be one of auto, cpu, cuda; found "tpu""#
        ),
        (["objective", "kind"], "ppo", #"field "kind" should be sft, krsl or dpo, found "ppo""#),
        (
            ["objective", "normalization"], "none",
            #"field "normalization" should be per_token or per_sample, found "none""#
        ),
        (["model", "random"], nil, #"field "model" should have either "random" or "checkpoint""#),
        (
            ["model", "random", "num_attention_heads"], 5,
            #"field "config" hidden_size 96 is no multiple of num_attention_heads 5"#
        ),
        (["model", "random", "vocab_size"], 0, #"field "config" vocab_size is 0; it must be at least 1"#),
        (["model", "random", "hidden_size"], nil, #"field "hidden_size" is missing"#),
    ]

    @Test(arguments: mistakes.indices) func mistakesAreNamed(index: Int) {
        let mistake = Self.mistakes[index]
        let json = replacing(Self.jobs[0].json, mistake.path[...], mistake.value)
        do {
            _ = try StudentJob(json: json)
            Issue.record("was accepted")
        } catch {
            #expect("\(error)" == mistake.message)
        }
    }

    private func replacing(_ json: JSON, _ path: ArraySlice<String>, _ value: JSON?) -> JSON {
        var object = json.object!
        let key = path.first!
        object[key] = path.count == 1 ? value : replacing(object[key]!, path.dropFirst(), value)
        return .object(object)
    }

    @Test func parametersAreCounted() {
        // 2 · 512 · 96 + 3 · (2 · 96 + 2 · 96² + 2 · 96 · 32 + 3 · 96 · 256) + 96
        #expect(Self.configuration.parameterCount == 98_304 + 3 * (192 + 18_432 + 6_144 + 73_728) + 96)
    }

    @Test func promptsAndGenerationsReadBack() throws {
        let prompts = [
            GenerationPrompt(id: "a", content: .tokens([1, 2])), GenerationPrompt(id: "b", content: .text("Q: x")),
        ]
        for prompt in prompts { #expect(try GenerationPrompt(json: #require(prompt.json.object)) == prompt) }
        let generations = [
            Generation(id: "a", promptTokens: 2, tokens: [3], finish: .stop),
            Generation(id: "b", promptTokens: 0, tokens: [], text: "x", finish: .length),
        ]
        for generation in generations {
            #expect(try Generation(json: #require(generation.json.object)) == generation)
        }
        #expect(generations[0].json.canonicalText == #"{"finish_reason":"stop","id":"a","ids":[3],"prompt_tokens":2}"#)
    }
}
