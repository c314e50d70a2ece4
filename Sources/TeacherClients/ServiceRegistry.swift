import Synchronization
import Teachers

/// The services that a process talks to, each once: stages that ask one endpoint share its budget.
public final class ServiceRegistry: Sendable {
    /// What tells services apart. The gate is the endpoint's alone.
    private struct Identity: Hashable {
        let endpoint: ChatEndpoint
        let model: String
        let settings: String
    }

    private struct State {
        var gates: [ChatEndpoint: EndpointGate] = [:]
        var services: [Identity: ChatService] = [:]
    }

    private let clock: EndpointGate.Clock
    private let state = Mutex(State())

    public init(clock: EndpointGate.Clock = .continuous) { self.clock = clock }

    /// The service of a teacher; its limits hold for all who ask the endpoint.
    public func service(_ parameters: ChatTeacherParameters) -> ChatService {
        state.withLock { state in
            let gate: EndpointGate
            if let known = state.gates[parameters.endpoint] {
                gate = known
                gate.restrict(to: parameters.limits)
            } else {
                gate = EndpointGate(parameters.limits, clock: clock)
                state.gates[parameters.endpoint] = gate
            }
            let identity = Identity(
                endpoint: parameters.endpoint, model: parameters.model,
                settings: "\(parameters.key) \(parameters.timeouts) \(parameters.certificates ?? "")")
            if let known = state.services[identity] { return known }
            let service = ChatService(parameters, gate: gate)
            state.services[identity] = service
            return service
        }
    }
}
