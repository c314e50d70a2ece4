/// Dropout that is a function of a key and the place of an element, so that no mask is stored or drawn in order.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace ctorch {

/// Which elements go, and what the others are multiplied by.
struct Dropout {
    double share = 0;
    uint64_t key = 0;

    bool active() const { return share > 0; }
};

/// x with the dropped elements zero and the others divided by 1 - share. Float32, float64 or bfloat16, contiguous.
/// The gradient of this is the same function of the gradient.
at::Tensor dropped(const at::Tensor &x, const Dropout &dropout);

} // namespace ctorch
