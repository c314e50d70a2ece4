import Glibc
import Synchronization

/// A folder for one action's temporary files, made when it is first asked for: most actions never do, and making and
/// removing it costs more than they themselves. It goes when the process ends at the latest, however it ends: the next
/// session to start removes what a dead one left.
public final class ScratchDirectory: Sendable {
    private enum State {
        case unmade
        case made
        case failed(any Error)
    }

    private let location: String
    private let state = Mutex(State.unmade)

    init(at location: String) { self.location = location }

    /// The folder; absolute. Where it cannot be made there is none at this path, and ``failure`` says why.
    public var path: String {
        state.withLock { state in
            guard case .unmade = state else { return }
            do {
                try FileSystem.makeFolder(location)
                state = .made
            } catch {
                state = .failed(error)
            }
        }
        return location
    }

    /// Why the folder could not be made when it was asked for.
    public var failure: (any Error)? {
        state.withLock { state in if case .failed(let error) = state { error } else { nil } }
    }

    /// Removes the folder and everything in it.
    public func remove() {
        guard state.withLock({ state in if case .made = state { true } else { false } }) else { return }
        try? DirectoryWalk.remove(location)
    }
}

extension LocalStore {
    /// Where this machine keeps what is never shared.
    public var localDirectory: String { layout.local }

    /// A new, empty folder on the store's file system, made at its first use.
    public func makeScratchDirectory() throws -> ScratchDirectory {
        ScratchDirectory(at: absolute(try temporaryPath()))
    }

    /// The absolute path of something under local/.
    func absolute(_ path: String) -> String {
        precondition(path.hasPrefix(layout.local), "\(path) does not lie under \(layout.local)")
        return absoluteLocal + path.dropFirst(layout.local.count)
    }
}
