import CTorch

/// The process's tensor library.
public enum TensorLibrary {
    /// Sets the number of threads of tensor operations; call before the first of them.
    public static func initialize(threads: Int) throws(TensorError) {
        try check(ct_initialize(Int32(clamping: threads)), "setting up libtorch")
    }

    /// The version, and where matrix products run.
    public static var description: String { String(cString: ct_description()) }

    public static var hasCUDA: Bool { ct_cuda_available() }
}
