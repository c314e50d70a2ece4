/// Blobs that a session protects from collection and has found in place, so that one run does not look twice.
///
/// An edit to one of a hundred thousand shards names all the others again, in the source's result and in the stage's
/// memo. What somebody removes by hand after it was found is noticed by whoever reads it, and by the next run.
struct PresentBlobs {
    /// The first halves of the digests: nobody finds two contents that agree in 128 bits of a SHA-256, and whoever did would
    /// spare himself a look.
    private var known: Set<UInt128> = []

    /// How many are remembered; then it starts anew, so that memory stays bounded: 9 MB.
    private static let remembered = 1 << 18

    mutating func note(_ digest: Digest, _ isPresent: Bool) {
        if isPresent {
            if known.count >= PresentBlobs.remembered { known = [] }
            known.insert(PresentBlobs.half(digest))
        } else if !known.isEmpty {
            known.remove(PresentBlobs.half(digest))
        }
    }

    func contains(_ digest: Digest) -> Bool { !known.isEmpty && known.contains(PresentBlobs.half(digest)) }

    private static func half(_ digest: Digest) -> UInt128 {
        UInt128(digest.words.0) << 64 | UInt128(digest.words.1)
    }
}
