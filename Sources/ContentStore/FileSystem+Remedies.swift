import Glibc

extension FileSystem {
    /// Whose files they are, which decides what a user can choose instead.
    package enum Place: Sendable { case store, tier, export }

    /// What a user may do about an error of the operating system.
    package static func remedy(for code: Int32, at place: Place) -> String {
        switch (code, place) {
        case (ENOSPC, .store), (EDQUOT, .store):
            "free some space on that disk and run again; nothing that was finished is lost"
        case (ENOSPC, .tier), (EDQUOT, .tier): "free some space there, then retort store push sends what is missing"
        case (ENOSPC, .export), (EDQUOT, .export): "free some space on that disk, or choose another path"
        case (EACCES, .store), (EPERM, .store):
            "check who owns it and its mode, or choose another store with --store"
        case (EACCES, .tier), (EPERM, .tier): "check who owns it and its mode, or use another tier"
        case (EACCES, .export), (EPERM, .export): "check who owns it and its mode, or choose another path"
        case (EROFS, .store): "choose a store on a file system that can be written, with --store"
        case (EROFS, .tier): "mount it so that it can be written, or use it as a read-only tier"
        case (EROFS, .export): "choose a path on a file system that can be written"
        case (EMFILE, _), (ENFILE, _): "raise the limit (ulimit -n), or lower --jobs"
        case (ENOTDIR, _): "remove the file that stands where a folder should be, or choose another path"
        case (ENOENT, _): "check the path"
        case (EEXIST, _): "remove it, or choose another path"
        case (EXDEV, .store): "let the whole store, local/ included, lie on one file system"
        case (EIO, _): "the disk or its network is failing: check the system's log"
        default: "see what the operating system says about it"
        }
    }
}

extension ContentStoreError {
    /// The same error where the file is not one of a store.
    package func concerning(_ place: FileSystem.Place) -> ContentStoreError {
        guard code == .system, let errno else { return self }
        return ContentStoreError(
            code, subject, problem, remedy: FileSystem.remedy(for: errno, at: place), errno: errno, blob: blob)
    }
}
