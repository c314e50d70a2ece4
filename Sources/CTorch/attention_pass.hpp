/// The inner loops of attention in training, compiled for each level of instruction set.
#pragma once

#include "attention.hpp"

#include <vector>

namespace ctorch {

/// Everything one pass over the segments needs; gradients are null in the forward pass.
template <class T> struct Pass {
    using A = arithmetic<T>;
    CTAttentionShape shape;
    const T *q, *k, *v;
    const A *cosines, *sines;
    T *out;
    A *logsumexp; // [heads, rows of q]
    int64_t rows;
    const T *out_gradient;
    T *q_gradient;
    A *k_gradient, *v_gradient;
};

/// Where among the rows of q the query of own row `row` lies.
CT_INLINE int64_t query_row(const CTSegment &segment, int64_t row) {
    return segment.query_start + row - segment.first_query;
}

/// Working memory of one task, reused from segment to segment.
template <class A> struct Scratch {
    std::vector<A> keys, values, queries, scores, outputs, key_gradients, value_gradients, query_gradients, products;
};

template <class A> A *sized(std::vector<A> &buffer, int64_t count) {
    if (static_cast<int64_t>(buffer.size()) < count) buffer.resize(count);
    return buffer.data();
}

template <class T, class A>
CT_INLINE void softmax_forward_body(
    A *scores, int64_t group, int64_t first, int64_t count, int64_t position, int64_t keys, const Pass<T> &pass,
    A *logsumexp) {
    const A scale = static_cast<A>(pass.shape.scale);
    for (int64_t head = 0; head < group; ++head) {
        for (int64_t row = 0; row < count; ++row) {
            const int64_t at = position + first + row;
            logsumexp[head * pass.rows + first + row] = softmax_row(
                scores + (head * count + row) * keys, first_visible(at, pass.shape.window), at + 1, keys, scale);
        }
    }
}

/// Scores become probabilities again, and `products` (d out · valuesᵀ) the gradients of the scores:
/// dS = P (dP - Σ dP P) scale, where Σ dP P = Σ d out · out.
template <class T, class A>
CT_INLINE void softmax_backward_body(
    A *scores, A *products, int64_t group, int64_t first, int64_t count, int64_t position, int64_t keys,
    const Pass<T> &pass, const A *logsumexp) {
    const A scale = static_cast<A>(pass.shape.scale);
    for (int64_t head = 0; head < group; ++head) {
        for (int64_t row = 0; row < count; ++row) {
            const int64_t at = position + first + row;
            const int64_t from = first_visible(at, pass.shape.window), to = at + 1;
            A *p = scores + (head * count + row) * keys, *d = products + (head * count + row) * keys;
            const A offset = logsumexp[head * pass.rows + first + row];
            for (int64_t i = from; i < to; ++i) p[i] = exponential(p[i] * scale - offset);
            A sum = 0;
            {
                CT_REORDER
                for (int64_t i = from; i < to; ++i) sum += p[i] * d[i];
            }
            for (int64_t i = from; i < to; ++i) d[i] = p[i] * (d[i] - sum) * scale;
            for (int64_t i = 0; i < from; ++i) p[i] = d[i] = 0;
            for (int64_t i = to; i < keys; ++i) p[i] = d[i] = 0;
        }
    }
}

template <class T, class A>
CT_INLINE void load_keys_body(const Pass<T> &pass, const CTSegment &segment, int64_t head, A *keys, A *values) {
    const int64_t size = pass.shape.head_size, stride = pass.shape.key_value_heads * size;
    const auto part = [&](int64_t from, int64_t count, int64_t position) {
        rotate_rows(
            pass.k + from * stride + head * size, stride, count, size, pass.cosines, pass.sines, position,
            keys + position * size);
        rotate_rows<T, A>(
            pass.v + from * stride + head * size, stride, count, size, nullptr, nullptr, 0, values + position * size);
    };
    part(segment.prefix_start, segment.prefix_length, 0);
    part(segment.start, segment.length, segment.prefix_length);
}

template <class T, class A>
CT_INLINE void add_key_gradients_body(
    const Pass<T> &pass, const CTSegment &segment, int64_t head, const A *keys, const A *values) {
    const int64_t size = pass.shape.head_size, stride = pass.shape.key_value_heads * size;
    const auto part = [&](int64_t from, int64_t count, int64_t position) {
        add_unrotated_rows(
            keys + position * size, stride, count, size, pass.cosines, pass.sines, position,
            pass.k_gradient + from * stride + head * size);
        add_unrotated_rows<A>(
            values + position * size, stride, count, size, nullptr, nullptr, 0,
            pass.v_gradient + from * stride + head * size);
    };
    part(segment.prefix_start, segment.prefix_length, 0);
    part(segment.start, segment.length, segment.prefix_length);
}

/// The queries [first, first + count) of the heads that share a key head, head by head: [group * count, size].
template <class T, class A>
CT_INLINE void load_queries_body(
    const Pass<T> &pass, const CTSegment &segment, int64_t head, int64_t group, int64_t first, int64_t count,
    const T *source, const A *cosines, const A *sines, A *queries) {
    const int64_t size = pass.shape.head_size, stride = pass.shape.heads * size;
    for (int64_t member = 0; member < group; ++member) {
        rotate_rows(
            source + query_row(segment, first) * stride + (head * group + member) * size, stride, count, size, cosines,
            sines, segment.prefix_length + first, queries + member * count * size);
    }
}

template <class T, class A>
CT_INLINE void store_queries_body(
    const Pass<T> &pass, const CTSegment &segment, int64_t head, int64_t group, int64_t first, int64_t count,
    const A *queries, const A *cosines, const A *sines, T *target) {
    const int64_t size = pass.shape.head_size, half = size / 2, stride = pass.shape.heads * size;
    for (int64_t member = 0; member < group; ++member) {
        for (int64_t row = 0; row < count; ++row) {
            const A *s = queries + (member * count + row) * size;
            T *t = target + query_row(segment, first + row) * stride + (head * group + member) * size;
            if (!cosines) {
                for (int64_t i = 0; i < size; ++i) store(t + i, s[i]);
                continue;
            }
            const int64_t position = (segment.prefix_length + first + row) * half;
            const A *c = cosines + position, *n = sines + position;
            for (int64_t i = 0; i < half; ++i) {
                store(t + i, s[i] * c[i] + s[half + i] * n[i]);
                store(t + half + i, s[half + i] * c[i] - s[i] * n[i]);
            }
        }
    }
}

/// One overload of each loop for elements of type T and arithmetic in type A.
#define CT_ATTENTION(T, A)                                                                                             \
    CT_CLONES void softmax_forward(                                                                                    \
        A *scores, int64_t group, int64_t first, int64_t count, int64_t position, int64_t keys, const Pass<T> &pass,   \
        A *logsumexp) {                                                                                                \
        softmax_forward_body(scores, group, first, count, position, keys, pass, logsumexp);                            \
    }                                                                                                                  \
    CT_CLONES void softmax_backward(                                                                                   \
        A *scores, A *products, int64_t group, int64_t first, int64_t count, int64_t position, int64_t keys,           \
        const Pass<T> &pass, const A *logsumexp) {                                                                     \
        softmax_backward_body(scores, products, group, first, count, position, keys, pass, logsumexp);                 \
    }                                                                                                                  \
    CT_CLONES void load_keys(                                                                                          \
        const Pass<T> &pass, const CTSegment &segment, int64_t head, A *keys, A *values) {                             \
        load_keys_body(pass, segment, head, keys, values);                                                             \
    }                                                                                                                  \
    CT_CLONES void add_key_gradients(                                                                                  \
        const Pass<T> &pass, const CTSegment &segment, int64_t head, const A *keys, const A *values) {                 \
        add_key_gradients_body(pass, segment, head, keys, values);                                                     \
    }                                                                                                                  \
    CT_CLONES void load_queries(                                                                                       \
        const Pass<T> &pass, const CTSegment &segment, int64_t head, int64_t group, int64_t first, int64_t count,      \
        const T *source, const A *cosines, const A *sines, A *queries) {                                               \
        load_queries_body(pass, segment, head, group, first, count, source, cosines, sines, queries);                  \
    }                                                                                                                  \
    CT_CLONES void store_queries(                                                                                      \
        const Pass<T> &pass, const CTSegment &segment, int64_t head, int64_t group, int64_t first, int64_t count,      \
        const A *queries, const A *cosines, const A *sines, T *target) {                                               \
        store_queries_body(pass, segment, head, group, first, count, queries, cosines, sines, target);                 \
    }

} // namespace ctorch
