/// The output layer without a loss.
#pragma once

#include <ATen/ATen.h>

namespace ctorch {

/// hidden [T, H] · weight [V, H]ᵀ, in hidden's type.
at::Tensor output_logits(const at::Tensor &hidden, const at::Tensor &weight);

} // namespace ctorch
