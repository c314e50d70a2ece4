import CLinux

/// What the C library's allocator does with memory that is free.
///
/// A run makes large blocks for a moment (a manifest, a list of keys, the records of a source) between small ones that
/// stay. Left to itself the allocator cuts them out of heaps that then cannot shrink, one heap a thread, and a run of a
/// hundred thousand actions needs half as much again.
package enum Allocator {
    /// Blocks from 256 KiB on get a mapping of their own, which goes when they are freed; all threads share two heaps.
    /// To be called before there is a second thread.
    package static func keepLargeBlocksApart() {
        let (threshold, arenas): (Int32, Int32) = (-3, -8)
        _ = mallopt(threshold, 256 << 10)
        _ = mallopt(arenas, 2)
    }

    /// Gives free memory back to the system. O(free blocks): some milliseconds after much has been freed.
    package static func trim() { _ = malloc_trim(0) }
}
