import Subprocess
import SystemPackage

extension StudentProcess {
    /// What keeps the program from starting, such as a library it does not find; nil where it starts.
    public static func problem(startingAt path: String) async -> String? {
        do {
            // Without a job it says how it is used and ends with status 2: so all its libraries are there.
            let outcome = try await Subprocess.run(
                .path(FilePath(path)), output: .discarded, error: .string(limit: 4096))
            if outcome.terminationStatus == .exited(2) { return nil }
            let said = (outcome.standardError ?? "").split(separator: "\n").first.map { ": \($0)" } ?? ""
            return "it ends with \(outcome.terminationStatus)\(said)"
        } catch {
            return "\(error)"
        }
    }
}
