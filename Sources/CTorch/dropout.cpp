#include "dropout.hpp"
#include "vectors.hpp"

#include <ATen/Parallel.h>

#include <stdexcept>

using c10::BFloat16;

namespace ctorch {

namespace {

/// The top 32 bits of SplitMix64's output for a counter (Steele, Lea and Flood, 2014).
CT_INLINE uint32_t bits(uint64_t key, int64_t index) {
    uint64_t z = key + static_cast<uint64_t>(index) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
}

template <class T>
CT_INLINE void drop_range(const T *x, T *out, int64_t from, int64_t to, uint64_t key, uint32_t threshold, double factor) {
    using A = arithmetic<T>;
    const A scale = static_cast<A>(factor);
    for (int64_t i = from; i < to; ++i) store(out + i, bits(key, i) < threshold ? A(0) : load(x + i) * scale);
}

#define CT_DROP(T)                                                                                                     \
    CT_CLONES void drop(const T *x, T *out, int64_t from, int64_t to, uint64_t key, uint32_t threshold, double f) {    \
        drop_range(x, out, from, to, key, threshold, f);                                                               \
    }

CT_DROP(float)
CT_DROP(double)
CT_DROP(BFloat16)

template <class T> void run(const at::Tensor &x, at::Tensor &out, const Dropout &dropout) {
    const T *source = x.data_ptr<T>();
    T *target = out.data_ptr<T>();
    const auto threshold = static_cast<uint32_t>(dropout.share * 4294967296.0);
    at::parallel_for(0, x.numel(), 1 << 15, [&](int64_t from, int64_t to) {
        drop(source, target, from, to, dropout.key, threshold, 1 / (1 - dropout.share));
    });
}

} // namespace

at::Tensor dropped(const at::Tensor &x, const Dropout &dropout) {
    if (!dropout.active()) return x;
    auto out = at::empty_like(x);
    switch (x.scalar_type()) {
    case at::kDouble: run<double>(x, out, dropout); break;
    case at::kBFloat16: run<BFloat16>(x, out, dropout); break;
    case at::kFloat: run<float>(x, out, dropout); break;
    default: throw std::invalid_argument("dropout: unsupported element type");
    }
    return out;
}

} // namespace ctorch
