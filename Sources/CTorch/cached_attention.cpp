#include "attention.hpp"

#include <ATen/Parallel.h>

#include <vector>

using namespace ctorch;
using c10::BFloat16;

namespace {

template <class T> struct Inputs {
    CTAttentionShape shape;
    const T *q, *k, *v;
    const float *cosines, *sines;
    float *keys, *values; // [slots, key_value_heads, positions, size]
    int64_t positions;
    T *out;
};

/// All new rows of one slot and one key head.
template <class T>
CT_INLINE void attend(const Inputs<T> &in, const CTCacheSpan &span, int64_t head, float *query, float *scores) {
    const int64_t size = in.shape.head_size, group = in.shape.heads / in.shape.key_value_heads;
    const int64_t stride = in.shape.key_value_heads * size, query_stride = in.shape.heads * size;
    float *keys = in.keys + (span.slot * in.shape.key_value_heads + head) * in.positions * size;
    float *values = in.values + (span.slot * in.shape.key_value_heads + head) * in.positions * size;
    rotate_rows(
        in.k + span.start * stride + head * size, stride, span.length, size, in.cosines, in.sines, span.past,
        keys + span.past * size);
    rotate_rows<T, float>(
        in.v + span.start * stride + head * size, stride, span.length, size, nullptr, nullptr, 0,
        values + span.past * size);
    const float scale = static_cast<float>(in.shape.scale);
    for (int64_t row = 0; row < span.length; ++row) {
        const int64_t position = span.past + row, from = first_visible(position, in.shape.window), to = position + 1;
        for (int64_t member = 0; member < group; ++member) {
            const int64_t at = (span.start + row) * query_stride + (head * group + member) * size;
            rotate_rows(in.q + at, query_stride, 1, size, in.cosines, in.sines, position, query);
            for (int64_t key = from; key < to; ++key) {
                CT_REORDER
                const float *other = keys + key * size;
                float sum = 0;
                for (int64_t i = 0; i < size; ++i) sum += query[i] * other[i];
                scores[key] = sum;
            }
            softmax_row(scores, from, to, to, scale);
            float *sum = query;
            for (int64_t i = 0; i < size; ++i) sum[i] = 0;
            for (int64_t key = from; key < to; ++key) {
                const float *value = values + key * size, weight = scores[key];
                for (int64_t i = 0; i < size; ++i) sum[i] += weight * value[i];
            }
            for (int64_t i = 0; i < size; ++i) store(in.out + at + i, sum[i]);
        }
    }
}

#define CT_CACHED(T)                                                                                                   \
    CT_CLONES void attend_span(                                                                                        \
        const Inputs<T> &in, const CTCacheSpan &span, int64_t head, float *query, float *scores) {                     \
        attend(in, span, head, query, scores);                                                                         \
    }

CT_CACHED(float)
CT_CACHED(BFloat16)

template <class T>
void run(const Inputs<T> &inputs, const CTCacheSpan *spans, int64_t count) {
    const int64_t heads = inputs.shape.key_value_heads;
    at::parallel_for(0, count * heads, 1, [&](int64_t from, int64_t to) {
        std::vector<float> query(inputs.shape.head_size), scores(inputs.positions);
        for (int64_t task = from; task < to; ++task) {
            attend_span(inputs, spans[task / heads], task % heads, query.data(), scores.data());
        }
    });
}

} // namespace

CTStatus ct_cached_attention(
    const CTTensor *q, const CTTensor *k, const CTTensor *v, const CTTensor *cosines, const CTTensor *sines,
    CTAttentionShape shape, CTTensor *keys, CTTensor *values, const CTCacheSpan *spans, int64_t count,
    CTTensor **out) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        check_attention(q->value, k->value, v->value, cosines->value, sines->value, shape);
        require(q->value.size(0) == k->value.size(0), "generation: queries and keys differ in rows");
        auto &cached = keys->value;
        require(
            cached.dim() == 4 && cached.sizes() == values->value.sizes() && cached.size(1) == shape.key_value_heads
                && cached.size(3) == shape.head_size && cached.is_contiguous() && values->value.is_contiguous()
                && cached.scalar_type() == at::kFloat && values->value.scalar_type() == at::kFloat,
            "the key-value cache does not fit the attention");
        require(
            cached.is_cpu() && cosines->value.scalar_type() == at::kFloat, "generation works on the CPU in float32");
        for (int64_t i = 0; i < count; ++i) {
            require(
                spans[i].slot >= 0 && spans[i].slot < cached.size(0) && spans[i].past >= 0 && spans[i].length > 0
                    && spans[i].past + spans[i].length <= cached.size(2)
                    && spans[i].past + spans[i].length <= cosines->value.size(0) && spans[i].start >= 0
                    && spans[i].start + spans[i].length <= q->value.size(0),
                "a span lies outside the key-value cache");
        }
        const auto queries = q->value.contiguous(), new_keys = k->value.contiguous(), new_values = v->value.contiguous();
        auto result = at::empty_like(queries);
        const auto go = [&](auto *tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            run<T>(
                Inputs<T>{
                    shape, queries.data_ptr<T>(), new_keys.data_ptr<T>(), new_values.data_ptr<T>(),
                    cosines->value.data_ptr<float>(), sines->value.data_ptr<float>(), cached.data_ptr<float>(),
                    values->value.data_ptr<float>(), cached.size(2), result.data_ptr<T>()},
                spans, count);
        };
        if (queries.scalar_type() == at::kBFloat16) {
            go(static_cast<BFloat16 *>(nullptr));
        } else {
            require(queries.scalar_type() == at::kFloat, "generation works in float32 or bfloat16");
            go(static_cast<float *>(nullptr));
        }
        *out = handle(result);
    });
}

CTStatus ct_copy_cache(CTTensor *keys, CTTensor *values, int64_t from, int64_t to, int64_t length) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        const auto &cached = keys->value;
        require(
            from >= 0 && from < cached.size(0) && to >= 0 && to < cached.size(0) && length >= 0
                && length <= cached.size(2),
            "a copy lies outside the key-value cache");
        if (from == to || length == 0) return;
        for (auto *tensor : {keys, values}) {
            tensor->value.select(0, to).narrow(1, 0, length).copy_(tensor->value.select(0, from).narrow(1, 0, length));
        }
    });
}
