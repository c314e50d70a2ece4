import StageGraph
import TeacherClients
import Teachers

/// Whether the teacher of a stage could be asked, found out without a paid call.
public struct TeacherReadiness: Sendable {
    /// The endpoint and the model.
    public let name: String
    /// What is in the way; nil when nothing is.
    public let problem: String?

    /// Asks a teacher behind an API which models it has, which costs nothing. A server without such a list is there all
    /// the same.
    ///
    /// - Returns: nil for a stage that asks no API.
    public static func check(_ node: StageNode) async -> TeacherReadiness? {
        guard let chat = (node.stage as? any AskingStage)?.settings.chat else { return nil }
        let name = "\(chat.model) at \(chat.endpoint)"
        do {
            let status = try await ServiceRegistry().service(chat).probe()
            let isRefused = status == 401 || status == 403
            return TeacherReadiness(
                name: name,
                problem: isRefused
                    ? "it refuses the key (HTTP \(status)); key-env or key-file has to name a valid one" : nil)
        } catch {
            return TeacherReadiness(name: name, problem: "\(error)")
        }
    }
}
