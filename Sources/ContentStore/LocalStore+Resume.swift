import Glibc

extension LocalStore {
    /// Where an action keeps what it needs to go on after an interruption: a folder of its key's own, on this machine.
    ///
    /// Nobody makes it but the action, under its lease. The path is absolute.
    public func resumeDirectory(for key: Digest) throws -> String {
        _ = try writing()
        return absolute("\(layout.resume)/\(key.hex)")
    }

    /// Removes what an action kept, now that its result is safe.
    public func removeResumeDirectory(for key: Digest) { try? DirectoryWalk.remove("\(layout.resume)/\(key.hex)") }

    /// Removes what actions kept that nobody has gone on with since `time`, seconds since 1970. One whose lease is held
    /// stays.
    func removeResumeDirectories(olderThan time: Int) throws {
        for name in try FileSystem.names(in: layout.resume) ?? [] {
            let path = "\(layout.resume)/\(name)"
            var status = stat()
            guard let key = Digest(hex: name), lstat(path, &status) == 0, status.st_mtim.tv_sec < time,
                let lease = try lease(key)
            else { continue }
            try DirectoryWalk.remove(path)
            lease.release()
        }
    }
}
