/// Arithmetic that the compiler turns into vector instructions, and the means to compile a loop once for each level
/// of instruction set.
#pragma once

#include <c10/core/ScalarType.h>
#include <c10/util/BFloat16.h>

#include <cmath>
#include <cstdint>
#include <cstring>

/// A function compiled for AVX-512, AVX2 and the baseline; the loader picks by the processor. Everything it calls
/// must be inlined into it.
#if defined(__x86_64__) && defined(__linux__)
#define CT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CT_CLONES
#endif

#define CT_INLINE inline __attribute__((always_inline))

/// Lets sums be reordered, within the block it stands in, so that they vectorise.
#define CT_REORDER _Pragma("clang fp reassociate(on) contract(fast)")

namespace ctorch {

/// The type arithmetic on elements of type T is done in.
template <class T> struct Arithmetic { using type = T; };
template <> struct Arithmetic<c10::BFloat16> { using type = float; };
template <class T> using arithmetic = typename Arithmetic<T>::type;

CT_INLINE float load(const float *source) { return *source; }
CT_INLINE double load(const double *source) { return *source; }
CT_INLINE float load(const c10::BFloat16 *source) {
    uint16_t half;
    std::memcpy(&half, source, 2);
    const uint32_t bits = static_cast<uint32_t>(half) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

CT_INLINE void store(float *target, float value) { *target = value; }
CT_INLINE void store(double *target, double value) { *target = value; }
/// Rounds to nearest, ties to even; not-a-number stays so.
CT_INLINE void store(c10::BFloat16 *target, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    const uint16_t half = static_cast<uint16_t>(value == value ? rounded : 0x7FC0);
    std::memcpy(target, &half, 2);
}

/// e to the power x, within 2 units in the last place; 0 below -87.3.
/// Method: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r, n added to the exponent (Cephes, expf).
CT_INLINE float exponential(float x) {
    const float clamped = x < -87.3f ? -87.3f : (x > 88.3f ? 88.3f : x);
    const float shifted = clamped * 1.44269504088896341f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits;
    std::memcpy(&bits, &shifted, 4);
    bits = static_cast<int32_t>(static_cast<uint32_t>(bits) << 23);
    int32_t power;
    std::memcpy(&power, &p, 4);
    power = static_cast<int32_t>(static_cast<uint32_t>(power) + static_cast<uint32_t>(bits));
    float result;
    std::memcpy(&result, &power, 4);
    return x < -87.3f ? 0.0f : result;
}
CT_INLINE double exponential(double x) { return std::exp(x); }

} // namespace ctorch
