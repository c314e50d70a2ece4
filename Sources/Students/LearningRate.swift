import StudentJobs

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The learning rate of each step of a run.
struct LearningRate: Sendable, Equatable {
    let settings: OptimizerSettings
    /// Steps of the run.
    let steps: Int
    let stepsPerEpoch: Int

    /// The rate of a step counted from 1. With t = step − 1 and w warm-up steps: peak · (t + 1) / w while t < w, then
    /// the schedule at progress (t − w) / (steps − w), as transformers has it.
    func rate(step: Int) -> Double {
        let peak = settings.learningRate
        let done = step - 1
        let warmUp = settings.warmUpSteps
        if done < warmUp { return peak * Double(done + 1) / Double(warmUp) }
        let progress = min(1, Double(done - warmUp) / Double(max(1, steps - warmUp)))
        switch settings.schedule {
        case .constant: return peak
        case .linear(let floor): return peak * (floor + (1 - floor) * (1 - progress))
        case .cosine(let floor): return peak * (floor + (1 - floor) * (1 + cos(Double.pi * progress)) / 2)
        case .perEpoch(let gamma): return peak * pow(gamma, Double(done / stepsPerEpoch))
        }
    }
}
