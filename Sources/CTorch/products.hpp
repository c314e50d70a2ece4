/// Matrix products, row-major, on the fastest path the process offers.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>

namespace ctorch {

/// Which path products take, in words.
const char *products_description();

/// C [m, n] = alpha · op(A) · op(B) + beta · C, where op transposes if its flag is set; lda, ldb, ldc are the row
/// strides of the matrices as stored. C is not read when beta is 0.
void product(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
    const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
void product(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda,
    const double *b, int64_t ldb, double beta, double *c, int64_t ldc);

} // namespace ctorch
