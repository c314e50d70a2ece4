#include "boundary.hpp"
#include "vectors.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

using namespace ctorch;
using c10::BFloat16;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

template <class T> CT_INLINE void forward_range(const T *gate, const T *up, int64_t count, T *out) {
    using A = arithmetic<T>;
    for (int64_t i = 0; i < count; ++i) {
        const A g = load(gate + i);
        store(out + i, g / (A(1) + exponential(-g)) * load(up + i));
    }
}

// silu'(g) = s (1 + g (1 - s)) with s = 1 / (1 + e^-g)

template <class T>
CT_INLINE void backward_range(
    const T *gradient, const T *gate, const T *up, int64_t count, T *gate_gradient, T *up_gradient) {
    using A = arithmetic<T>;
    for (int64_t i = 0; i < count; ++i) {
        const A g = load(gate + i), d = load(gradient + i);
        const A s = A(1) / (A(1) + exponential(-g));
        store(gate_gradient + i, d * load(up + i) * s * (A(1) + g * (A(1) - s)));
        store(up_gradient + i, d * g * s);
    }
}

#define CT_SWIGLU(SUFFIX, T)                                                                                           \
    CT_CLONES void forward_##SUFFIX(const T *gate, const T *up, int64_t count, T *out) {                               \
        forward_range(gate, up, count, out);                                                                           \
    }                                                                                                                  \
    CT_CLONES void backward_##SUFFIX(                                                                                  \
        const T *gradient, const T *gate, const T *up, int64_t count, T *gate_gradient, T *up_gradient) {              \
        backward_range(gradient, gate, up, count, gate_gradient, up_gradient);                                         \
    }

CT_SWIGLU(float, float)
CT_SWIGLU(bfloat, BFloat16)
CT_SWIGLU(double, double)

constexpr int64_t grain = 1 << 16;

class SwiGLU : public torch::autograd::Function<SwiGLU> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &gate, const at::Tensor &up) {
        context->save_for_backward({gate, up});
        auto out = at::empty_like(gate);
        const auto run = [&](auto *tag, auto kernel) {
            using T = std::remove_pointer_t<decltype(tag)>;
            const T *g = gate.data_ptr<T>(), *u = up.data_ptr<T>();
            T *o = out.data_ptr<T>();
            at::parallel_for(0, gate.numel(), grain, [&](int64_t from, int64_t to) {
                kernel(g + from, u + from, to - from, o + from);
            });
        };
        switch (gate.scalar_type()) {
        case at::kDouble: run(static_cast<double *>(nullptr), forward_double); break;
        case at::kBFloat16: run(static_cast<BFloat16 *>(nullptr), forward_bfloat); break;
        default: run(static_cast<float *>(nullptr), forward_float);
        }
        return out;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const auto gradient = gradients[0].contiguous();
        auto gate_gradient = at::empty_like(gradient), up_gradient = at::empty_like(gradient);
        const auto run = [&](auto *tag, auto kernel) {
            using T = std::remove_pointer_t<decltype(tag)>;
            const T *d = gradient.data_ptr<T>(), *g = saved[0].data_ptr<T>(), *u = saved[1].data_ptr<T>();
            T *dg = gate_gradient.data_ptr<T>(), *du = up_gradient.data_ptr<T>();
            at::parallel_for(0, gradient.numel(), grain, [&](int64_t from, int64_t to) {
                kernel(d + from, g + from, u + from, to - from, dg + from, du + from);
            });
        };
        switch (gradient.scalar_type()) {
        case at::kDouble: run(static_cast<double *>(nullptr), backward_double); break;
        case at::kBFloat16: run(static_cast<BFloat16 *>(nullptr), backward_bfloat); break;
        default: run(static_cast<float *>(nullptr), backward_float);
        }
        return {gate_gradient, up_gradient};
    }
};

} // namespace

CTStatus ct_swiglu(const CTTensor *gate, const CTTensor *up, CTTensor **out) {
    return guarded([&] {
        const auto &g = gate->value, &u = up->value;
        require(
            g.sizes() == u.sizes() && g.scalar_type() == u.scalar_type(), "SwiGLU wants two tensors of one shape");
        const auto type = g.scalar_type();
        const bool known = type == at::kFloat || type == at::kDouble || type == at::kBFloat16;
        *out = handle(fused(g) && known ? SwiGLU::apply(g.contiguous(), u.contiguous()) : at::silu(g) * u);
    });
}
