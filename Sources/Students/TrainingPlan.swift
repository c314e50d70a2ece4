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
}
