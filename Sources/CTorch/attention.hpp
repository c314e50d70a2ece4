/// Pieces that attention in training and in generation share.
#pragma once

#include "CTorch.h"
#include "boundary.hpp"
#include "vectors.hpp"

#include <cstdint>

namespace ctorch {

/// Throws unless the inputs of attention fit `shape` and each other.
void check_attention(
    const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const at::Tensor &cosines, const at::Tensor &sines,
    const CTAttentionShape &shape);

/// target [count, size] = rows of source (one head, `stride` elements apart), rotated by the angles of positions
/// `position`, `position` + 1, … (a pair is the elements i and i + size / 2). A null `cosines` copies.
template <class T, class A>
CT_INLINE void rotate_rows(
    const T *source, int64_t stride, int64_t count, int64_t size, const A *cosines, const A *sines, int64_t position,
    A *target) {
    const int64_t half = size / 2;
    for (int64_t row = 0; row < count; ++row) {
        const T *s = source + row * stride;
        A *t = target + row * size;
        if (!cosines) {
            for (int64_t i = 0; i < size; ++i) t[i] = load(s + i);
            continue;
        }
        const A *c = cosines + (position + row) * half, *n = sines + (position + row) * half;
        for (int64_t i = 0; i < half; ++i) {
            const A first = load(s + i), second = load(s + half + i);
            t[i] = first * c[i] - second * n[i];
            t[half + i] = second * c[i] + first * n[i];
        }
    }
}

/// The reverse: target rows (`stride` apart) += source [count, size], rotated back.
template <class A>
CT_INLINE void add_unrotated_rows(
    const A *source, int64_t stride, int64_t count, int64_t size, const A *cosines, const A *sines, int64_t position,
    A *target) {
    const int64_t half = size / 2;
    for (int64_t row = 0; row < count; ++row) {
        const A *s = source + row * size;
        A *t = target + row * stride;
        if (!cosines) {
            for (int64_t i = 0; i < size; ++i) t[i] += s[i];
            continue;
        }
        const A *c = cosines + (position + row) * half, *n = sines + (position + row) * half;
        for (int64_t i = 0; i < half; ++i) {
            t[i] += s[i] * c[i] + s[half + i] * n[i];
            t[half + i] += s[half + i] * c[i] - s[i] * n[i];
        }
    }
}

/// Keys a query at `position` sees: the half-open range [first, position + 1).
CT_INLINE int64_t first_visible(int64_t position, int64_t window) {
    return window > 0 && position - window + 1 > 0 ? position - window + 1 : 0;
}

/// Softmax in place of one row of `count` scores, of which [from, to) are visible; the others become 0. Returns the
/// logarithm of the sum of exponentials of scale * score.
template <class A> CT_INLINE A softmax_row(A *scores, int64_t from, int64_t to, int64_t count, A scale) {
    A largest = scores[from];
    A sum = 0;
    {
        CT_REORDER
        for (int64_t i = from; i < to; ++i) largest = scores[i] > largest ? scores[i] : largest;
    }
    for (int64_t i = from; i < to; ++i) scores[i] = exponential((scores[i] - largest) * scale);
    {
        CT_REORDER
        for (int64_t i = from; i < to; ++i) sum += scores[i];
    }
    const A inverse = A(1) / sum;
    for (int64_t i = from; i < to; ++i) scores[i] *= inverse;
    for (int64_t i = 0; i < from; ++i) scores[i] = 0;
    for (int64_t i = to; i < count; ++i) scores[i] = 0;
    return largest * scale + std::log(sum);
}

} // namespace ctorch
