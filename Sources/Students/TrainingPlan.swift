import StudentJobs

/// Which samples make which step: a value that depends on the job and the number of samples alone.
struct TrainingPlan: Sendable, Equatable {
    let samples: Int
    let samplesPerStep: Int
    let stepsPerEpoch: Int
    let steps: Int
    let seed: UInt64

    init(samples: Int, batch: BatchSettings, epochs: Double, maxSteps: Int?, seed: UInt64) {
        self.samples = samples
        self.seed = seed
        samplesPerStep = batch.samples * batch.accumulation
        stepsPerEpoch = (samples + samplesPerStep - 1) / samplesPerStep
        let whole = (epochs * Double(stepsPerEpoch)).rounded(.up)
        steps = min(maxSteps ?? Int.max, max(1, Int(min(whole, 1e15))))
    }

    /// The samples of each step of an epoch counted from 0, in seeded order; the last step may have fewer.
    func epoch(_ number: Int) -> [ArraySlice<Int>] {
        var stream = RandomStream(seed: seed, path: 0x65_706F_6368, UInt64(number))
        let order = stream.permutation(samples)
        return stride(from: 0, to: samples, by: samplesPerStep).map {
            order[$0..<min($0 + samplesPerStep, samples)]
        }
    }

    /// Throws where a step would have nothing to learn from.
    ///
    /// - Throws: ``StudentError`` naming the step and its first samples.
    func checkTargets(of data: TrainingSet, objective: Objective) throws {
        let targets = (0..<samples).map { data.hasTargets($0, objective) }
        guard targets.contains(false) else { return }
        var step = 0
        for number in 0..<((steps + stepsPerEpoch - 1) / stepsPerEpoch) {
            for part in epoch(number) where step < steps {
                step += 1
                guard !part.contains(where: { targets[$0] }) else { continue }
                let ids = part.prefix(8).map { "\"\(data.id($0))\"" }.joined(separator: ", ")
                throw StudentError(
                    "step \(step)",
                    "would learn nothing: every token of its \(part.count) samples is masked out (\(ids)"
                        + "\(part.count > 8 ? ", …" : "")); drop samples without key tokens, or raise the batch size")
            }
        }
    }
}
