import Glibc

/// How many files this process may have open, shared out.
enum FileHandles {
    /// Left to what runs, reads and writes.
    private static let reserved = 128

    /// Handles that actions may hold whose results are on their way to the disk: half of those not reserved, at least 8.
    static var forLeases: Int { forLeases(of: limit) }

    static func forLeases(of limit: Int) -> Int { max(8, (limit - reserved) / 2) }

    private static var limit: Int {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return 256 }
        return Int(clamping: limits.rlim_cur)
    }
}
