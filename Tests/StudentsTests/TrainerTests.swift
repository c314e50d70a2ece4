import StudentJobs
import Tensors
import Testing

@testable import Students

@Suite struct TrainerTests {
    @Test(arguments: [Objective.sft, .sftPerSample, .krsl(KRSLSettings(beta: 0.5)), .dpo(beta: 0.1)])
    func accumulationEqualsALargerBatch(objective: Objective) throws {
        let data: TrainingSet =
            switch objective {
            case .sft, .sftPerSample: .tokens(Samples.counting(8))
            case .krsl, .dpo: .pairs(Samples.pairs)
            }
        let samples = Array(0..<data.count)
        func gradients(samples perBatch: Int, maxTokens: Int?) throws -> (Double, [Double]) {
            let model = try Samples.exactModel()
            var job = Samples.job(objective, samples: perBatch, accumulation: 8 / perBatch)
            job.batch.maxTokens = maxTokens
            let trainer = try Trainer(model: model, data: data, job: job)
            let outcome = try trainer.accumulateGradients(samples)
            return (outcome.loss, try Samples.gradients(model))
        }
        let whole = try gradients(samples: 8, maxTokens: nil)
        for parts in [try gradients(samples: 2, maxTokens: nil), try gradients(samples: 8, maxTokens: 1)] {
            #expect(abs(whole.0 - parts.0) < 1e-12)
            #expect(largestDifference(whole.1, parts.1) < 1e-12)
        }
    }

    @Test func sftLossIsTheMeanOverCompletionTokens() throws {
        let model = try Samples.exactModel()
        let records = Samples.counting(5)
        let trainer = try Trainer(model: model, data: .tokens(records), job: Samples.job(.sft))
        let outcome = try trainer.accumulateGradients(Array(records.indices))
        var sum = 0.0
        var count = 0
        for record in records {
            let sequence = record.prompt + record.completion
            let hidden = try model(sequence.map(Int64.init), segments: [Segment(rows: 0..<sequence.count)])
            let logits = try hidden.linear(model.output).doubles()
            let width = Samples.configuration.vocabSize
            for (index, token) in record.completion.enumerated() {
                let row = record.prompt.count - 1 + index
                let line = logits[row * width..<(row + 1) * width]
                sum += naturalLogarithm(line.reduce(0) { $0 + exponential($1) }) - line[row * width + Int(token)]
                count += 1
            }
        }
        #expect(abs(outcome.loss - sum / Double(count)) < 1e-10)
        #expect(outcome.tokens.count == count)
    }

    @Test func studentsLearnAndReproduce() throws {
        let records = Samples.counting(40)
        var job = Samples.job(.sft, samples: 20)
        job.epochs = 60
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 1)
        let trainer = try Trainer(model: model, data: .tokens(records), job: job)
        var steps: [TrainingStep] = []
        while !trainer.isFinished { steps.append(try #require(try trainer.advance())) }
        #expect(steps.count == 120)
        #expect(steps[0].loss > 3)
        #expect(steps.last!.loss < 0.1)
        #expect(steps.last!.tokenAccuracy! > 0.99)
        let generator = Generator(model: model, slots: 7, maxNewTokens: 12, stopTokens: [1])
        let results = try generator.generate(records.map(\.prompt))
        let right = zip(results, records).filter { $0.tokens + [1] == $1.completion && $0.finish == .stop }.count
        #expect(right >= 38)
    }

    @Test func krslDrawsToTheRightAndPushesOffTheWrong() throws {
        var job = Samples.job(.krsl(KRSLSettings(alpha: 1, beta: 0.2)))
        job.epochs = 20
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 1)
        let trainer = try Trainer(model: model, data: .pairs(Samples.pairs), job: job)
        let first = try #require(try trainer.advance())
        var last = first
        while !trainer.isFinished { last = try #require(try trainer.advance()) }
        #expect(first.tokenAccuracy == nil)
        #expect(last.loss < first.loss)
        #expect(last.keyAccuracy! > 0.9)
        #expect(last.rejectedNLL! > first.rejectedNLL! + 1)
    }

    @Test func krslReportsHowFarTokensWithoutWeightDrift() throws {
        var job = Samples.job(.krsl(KRSLSettings(alpha: 1, beta: 0.2)), samples: 4)
        job.epochs = 3
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 1)
        /// The mean NLL of the tokens that are no key tokens, in full sequences.
        func mean() throws -> Double {
            var values: [Double] = []
            for pair in Samples.pairs {
                for (completion, keys) in [(pair.correct, pair.correctKeys), (pair.wrong, pair.wrongKeys)] {
                    let record = TokenRecord(id: pair.id, prompt: pair.prompt, completion: completion)
                    let nll = try withoutGradients { try model.score(PackedBatch([record], weight: 1)).nll }
                    values += zip(nll, keys).filter { $0.1 == 0 }.map(\.0)
                }
            }
            return values.reduce(0, +) / Double(values.count)
        }
        let before = try mean()
        let trainer = try Trainer(model: model, data: .pairs(Samples.pairs), job: job)
        var steps: [TrainingStep] = []
        while !trainer.isFinished { steps.append(try #require(try trainer.advance())) }
        #expect(steps.map { $0.unweightedDrift != nil } == [false, true, false, true, false, true])
        let drift = try #require(steps.last?.unweightedDrift)
        #expect(abs(drift - (try mean() - before)) < 1e-5)
        #expect(abs(drift) > 1e-3)
        let plain = try Trainer(model: model, data: .tokens(Samples.counting(4)), job: Samples.job(.sft))
        #expect(try plain.advance()?.unweightedDrift == nil)
    }

    @Test func notANumberStopsWithStepAndSamples() throws {
        let records = Samples.counting(10)
        var job = Samples.job(.sft, samples: 10)
        job.optimizer.learningRate = 1e30
        job.optimizer.clipNorm = nil
        job.epochs = 9
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 1)
        let trainer = try Trainer(model: model, data: .tokens(records), job: job)
        do {
            while !trainer.isFinished { _ = try trainer.advance() }
            Issue.record("went on")
        } catch let error as StudentError {
            #expect(error.subject.hasPrefix("step "))
            #expect(error.problem.contains("the loss is "))
            #expect(error.problem.contains("\"count-"))
            #expect(
                error.problem.hasSuffix(" and 2 more; lower learning_rate, set clip_norm, or use precision float32"))
        }
    }

    @Test func planCoversEachEpochOnce() {
        let plan = TrainingPlan(
            samples: 10, batch: BatchSettings(samples: 2, accumulation: 2), epochs: 2.5, maxSteps: nil, seed: 9)
        #expect(plan.stepsPerEpoch == 3)
        #expect(plan.steps == 8)
        for epoch in 0..<3 {
            #expect(plan.epoch(epoch).map(\.count) == [4, 4, 2])
            #expect(plan.epoch(epoch).flatMap { $0 }.sorted() == Array(0..<10))
        }
        #expect(plan.epoch(0) != plan.epoch(1))
        let same = TrainingPlan(
            samples: 10, batch: BatchSettings(samples: 4), epochs: 1, maxSteps: 2, seed: 9)
        #expect(same.epoch(1) == plan.epoch(1))
        #expect(same.steps == 2)
    }

    @Test func learningRatesFollowTheirSchedules() {
        func rates(_ schedule: OptimizerSettings.Schedule, warmUp: Int = 0) -> [Double] {
            let settings = OptimizerSettings(learningRate: 8, schedule: schedule, warmUpSteps: warmUp)
            return (1...4).map { LearningRate(settings: settings, steps: 4, stepsPerEpoch: 2).rate(step: $0) }
        }
        #expect(rates(.constant) == [8, 8, 8, 8])
        #expect(rates(.linear(floor: 0)) == [8, 6, 4, 2])
        #expect(rates(.linear(floor: 0.5), warmUp: 2) == [4, 8, 8, 6])
        #expect(rates(.perEpoch(gamma: 0.5)) == [8, 8, 4, 4])
        let cosine = rates(.cosine(floor: 0))
        #expect(largestDifference(cosine, [8, 4 + 8.0.squareRoot(), 4, 4 - 8.0.squareRoot()]) < 1e-12)
    }
}
