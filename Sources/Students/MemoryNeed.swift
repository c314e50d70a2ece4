import StudentJobs

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The least memory a training job takes, in bytes: weights, and gradients and two moments of what is trained.
struct MemoryNeed: Equatable {
    let parameters: Int
    let trained: Int
    let bytes: Double

    init(training job: TrainingJob, of configuration: DecoderConfiguration) {
        let parameters = configuration.parameterCount
        let trained: Int
        switch job.adapter {
        case nil: trained = parameters
        case .new(let settings)?: trained = configuration.parameterCount(of: settings)
        case .directory?: trained = 0
        }
        self.parameters = parameters
        self.trained = trained
        bytes = 4 * Double(parameters) + 12 * Double(trained)
    }

    /// - Throws: ``StudentError`` where the machine has less memory than that.
    func check(available: Double = Self.physicalMemory()) throws {
        guard bytes > available else { return }
        throw StudentError(
            "model",
            "has \(parameters) parameters and needs at least \(Self.gibibytes(bytes)) GiB to be trained (weights, "
                + "gradients and AdamW's moments), this machine has \(Self.gibibytes(available)) GiB; choose a smaller "
                + "model, or train an adapter")
    }

    private static func gibibytes(_ bytes: Double) -> Double { (bytes / 0x1p30 * 10).rounded(.up) / 10 }

    static func physicalMemory() -> Double {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && size > 0 ? Double(pages) * Double(size) : .infinity
    }
}

extension DecoderConfiguration {
    /// How many numbers the model has.
    var parameterCount: Int {
        var layered = self
        layered.layers = 1
        let once = Self.count(layered)
        layered.layers = 0
        let none = Self.count(layered)
        return none + layers * (once - none)
    }

    private static func count(_ configuration: DecoderConfiguration) -> Int {
        configuration.parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    /// How many numbers an adapter has.
    func parameterCount(of settings: LoRASettings) -> Int {
        var one = self
        one.layers = 1
        return layers * Adapter.shapes(settings, for: one).reduce(0) { $0 + $1.shape.reduce(1, *) }
    }
}
