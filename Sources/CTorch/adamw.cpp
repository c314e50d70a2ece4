#include "boundary.hpp"
#include "vectors.hpp"

#include <ATen/Parallel.h>

#include <cmath>

using namespace ctorch;

namespace {

struct Step {
    double gradient_scale, decay, beta1, beta2, epsilon, step_size, second_correction;
};

/// torch.optim.AdamW (single tensor): p *= 1 - lr wd; m += (g - m)(1 - b1); v = b2 v + (1 - b2) g²;
/// p -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
template <class T> CT_INLINE void step_range(T *p, const T *g, T *m, T *v, int64_t count, const Step &step) {
    const T scale = static_cast<T>(step.gradient_scale), decay = static_cast<T>(step.decay);
    const T one_minus_beta1 = static_cast<T>(1 - step.beta1), beta2 = static_cast<T>(step.beta2);
    const T one_minus_beta2 = static_cast<T>(1 - step.beta2), epsilon = static_cast<T>(step.epsilon);
    const T size = static_cast<T>(step.step_size), correction = static_cast<T>(step.second_correction);
    for (int64_t i = 0; i < count; ++i) {
        const T gradient = g[i] * scale;
        m[i] += (gradient - m[i]) * one_minus_beta1;
        v[i] = v[i] * beta2 + gradient * gradient * one_minus_beta2;
        p[i] = p[i] * decay - size * (m[i] / (std::sqrt(v[i]) / correction + epsilon));
    }
}

CT_CLONES void step_float(float *p, const float *g, float *m, float *v, int64_t count, const Step &step) {
    step_range(p, g, m, v, count, step);
}
CT_CLONES void step_double(double *p, const double *g, double *m, double *v, int64_t count, const Step &step) {
    step_range(p, g, m, v, count, step);
}

CT_CLONES double squares_float(const float *values, int64_t count) {
    CT_REORDER
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    return sum;
}

constexpr int64_t grain = 1 << 16;

template <class T, class Kernel>
void step_tensor(at::Tensor &leaf, const at::Tensor &gradient, at::Tensor &m, at::Tensor &v, const Step &step, Kernel kernel) {
    T *p_data = leaf.data_ptr<T>(), *m_data = m.data_ptr<T>(), *v_data = v.data_ptr<T>();
    const T *g_data = gradient.data_ptr<T>();
    at::parallel_for(0, leaf.numel(), grain, [&](int64_t from, int64_t to) {
        kernel(p_data + from, g_data + from, m_data + from, v_data + from, to - from, step);
    });
}

void step_composed(at::Tensor &leaf, const at::Tensor &given, at::Tensor &m, at::Tensor &v, const Step &step) {
    const auto gradient = given * step.gradient_scale;
    m.lerp_(gradient, 1 - step.beta1);
    v.mul_(step.beta2).addcmul_(gradient, gradient, 1 - step.beta2);
    leaf.mul_(step.decay).addcdiv_(m, (v.sqrt() / step.second_correction).add_(step.epsilon), -step.step_size);
}

} // namespace

CTStatus ct_gradient_norm(CTTensor *const *leaves, int32_t count, double *norm) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        double sum = 0;
        for (int32_t i = 0; i < count; ++i) {
            const auto &gradient = leaves[i]->value.grad();
            if (!gradient.defined()) continue;
            if (fused(gradient) && gradient.scalar_type() == at::kFloat && gradient.is_contiguous()) {
                sum += squares_float(gradient.data_ptr<float>(), gradient.numel());
            } else {
                sum += gradient.to(at::kDouble).square().sum().item<double>();
            }
        }
        *norm = std::sqrt(sum);
    });
}

CTStatus ct_adamw_step(
    CTTensor *const *leaves, CTTensor *const *first, CTTensor *const *second, int32_t count, double gradient_scale,
    double learning_rate, double beta1, double beta2, double epsilon, double weight_decay, int64_t step) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        const double first_correction = 1 - std::pow(beta1, static_cast<double>(step));
        const Step constants{
            gradient_scale, 1 - learning_rate * weight_decay, beta1, beta2, epsilon, learning_rate / first_correction,
            std::sqrt(1 - std::pow(beta2, static_cast<double>(step)))};
        for (int32_t i = 0; i < count; ++i) {
            auto leaf = leaves[i]->value.detach();
            const auto &given = leaves[i]->value.grad();
            if (!given.defined()) continue;
            const auto gradient = given.contiguous();
            auto &m = first[i]->value, &v = second[i]->value;
            require(leaf.sizes() == m.sizes() && leaf.sizes() == v.sizes(), "AdamW: moments do not fit their leaf");
            const bool direct = fused(leaf) && leaf.is_contiguous();
            if (direct && leaf.scalar_type() == at::kFloat) {
                step_tensor<float>(leaf, gradient, m, v, constants, step_float);
            } else if (direct && leaf.scalar_type() == at::kDouble) {
                step_tensor<double>(leaf, gradient, m, v, constants, step_double);
            } else {
                step_composed(leaf, gradient, m, v, constants);
            }
        }
    });
}
