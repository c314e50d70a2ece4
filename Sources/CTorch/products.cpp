#include "products.hpp"

#include <dlfcn.h>

#include <vector>

namespace ctorch {

namespace {

/// oneDNN's C entry point for row-major sgemm. Debian's libtorch is linked to a reference BLAS, some 25 times slower,
/// and to oneDNN as a shared library; pip's libtorch brings a good BLAS and keeps oneDNN to itself, so that the
/// symbol is absent there.
using Sgemm = int (*)(
    char, char, int64_t, int64_t, int64_t, float, const float *, int64_t, const float *, int64_t, float, float *,
    int64_t);

Sgemm onednn() {
    static const auto function = reinterpret_cast<Sgemm>(dlsym(RTLD_DEFAULT, "dnnl_sgemm"));
    return function;
}

template <class T>
at::Tensor view(const T *data, bool transpose, int64_t rows, int64_t columns, int64_t stride) {
    const auto options = at::TensorOptions().dtype(c10::CppTypeToScalarType<T>::value);
    auto *pointer = const_cast<T *>(data);
    return transpose ? at::from_blob(pointer, {rows, columns}, {1, stride}, options)
                     : at::from_blob(pointer, {rows, columns}, {stride, 1}, options);
}

template <class T>
void through_torch(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha, const T *a, int64_t lda, const T *b,
    int64_t ldb, T beta, T *c, int64_t ldc) {
    if (m == 0 || n == 0) return;
    at::NoGradGuard no_gradients;
    auto out = view(c, false, m, n, ldc);
    at::addmm_out(
        out, out, view(a, transpose_a, m, k, lda), view(b, transpose_b, k, n, ldb), static_cast<double>(beta),
        static_cast<double>(alpha));
}

} // namespace

const char *products_description() { return onednn() ? "oneDNN" : "BLAS of libtorch"; }

void product(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
    const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
    if (const auto sgemm = onednn()) {
        const int status = sgemm(
            transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        TORCH_CHECK(status == 0, "oneDNN refused a matrix product of ", m, " by ", n, " by ", k);
        return;
    }
    through_torch(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void product(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda,
    const double *b, int64_t ldb, double beta, double *c, int64_t ldc) {
    through_torch(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

} // namespace ctorch
