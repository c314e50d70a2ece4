#include "boundary.hpp"
#include "vectors.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

using namespace ctorch;
using c10::BFloat16;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// sum = x + delta; inverse = 1 / sqrt(mean(sum²) + epsilon); normed = sum * inverse * weight

template <class R, class D, class O>
CT_INLINE void forward_rows(
    const R *x, const D *delta, const R *weight, R epsilon, int64_t rows, int64_t width, R *sum, O *normed,
    R *inverses) {
    for (int64_t row = 0; row < rows; ++row) {
        const int64_t at = row * width;
        R squares = 0;
        {
            CT_REORDER
            if (delta) {
                for (int64_t i = 0; i < width; ++i) {
                    const R value = x[at + i] + load(delta + at + i);
                    sum[at + i] = value;
                    squares += value * value;
                }
            } else {
                for (int64_t i = 0; i < width; ++i) squares += x[at + i] * x[at + i];
            }
        }
        const R inverse = R(1) / std::sqrt(squares / static_cast<R>(width) + epsilon);
        inverses[row] = inverse;
        const R *source = delta ? sum + at : x + at;
        for (int64_t i = 0; i < width; ++i) store(normed + at + i, source[i] * inverse * weight[i]);
    }
}

// With g = d normed * weight: d sum = inverse * (g - sum * inverse² * mean(g * sum)) + what comes from above;
// d weight = Σ rows d normed * sum * inverse

template <class R, class O, class D>
CT_INLINE void backward_rows(
    const O *normed_gradient, const R *above, const R *sum, const R *weight, const R *inverses, int64_t rows,
    int64_t width, R *gradient, D *delta_gradient, R *weight_gradient) {
    for (int64_t row = 0; row < rows; ++row) {
        const int64_t at = row * width;
        const R inverse = inverses[row];
        R product = 0;
        {
            CT_REORDER
            for (int64_t i = 0; i < width; ++i) {
                const R g = load(normed_gradient + at + i);
                product += g * weight[i] * sum[at + i];
                weight_gradient[i] += g * sum[at + i] * inverse;
            }
        }
        const R factor = product * inverse * inverse / static_cast<R>(width);
        for (int64_t i = 0; i < width; ++i) {
            const R g = load(normed_gradient + at + i) * weight[i];
            R value = inverse * (g - sum[at + i] * factor);
            if (above) value += above[at + i];
            gradient[at + i] = value;
            if (delta_gradient) store(delta_gradient + at + i, value);
        }
    }
}

#define CT_FORWARD(NAME, R, D, O)                                                                                      \
    CT_CLONES void NAME(                                                                                               \
        const R *x, const D *delta, const R *weight, R epsilon, int64_t rows, int64_t width, R *sum, O *normed,        \
        R *inverses) {                                                                                                 \
        forward_rows(x, delta, weight, epsilon, rows, width, sum, normed, inverses);                                   \
    }
#define CT_BACKWARD(NAME, R, O, D)                                                                                     \
    CT_CLONES void NAME(                                                                                               \
        const O *normed_gradient, const R *above, const R *sum, const R *weight, const R *inverses, int64_t rows,      \
        int64_t width, R *gradient, D *delta_gradient, R *weight_gradient) {                                           \
        backward_rows(                                                                                                 \
            normed_gradient, above, sum, weight, inverses, rows, width, gradient, delta_gradient, weight_gradient);    \
    }

CT_FORWARD(forward_float, float, float, float)
CT_FORWARD(forward_bfloat, float, BFloat16, BFloat16)
CT_FORWARD(forward_double, double, double, double)
CT_BACKWARD(backward_float, float, float, float)
CT_BACKWARD(backward_bfloat, float, BFloat16, BFloat16)
CT_BACKWARD(backward_double, double, double, double)

/// Rows that one task takes; also the grain in which weight gradients are summed, so that the sum does not depend on
/// the number of threads.
constexpr int64_t grain = 512;

template <class Body> void for_blocks(int64_t rows, Body body) {
    const int64_t blocks = (rows + grain - 1) / grain;
    at::parallel_for(0, blocks, 1, [&](int64_t from, int64_t to) {
        for (int64_t block = from; block < to; ++block) {
            body(block, block * grain, std::min(rows, (block + 1) * grain));
        }
    });
}

template <class R, class D, class O, class Kernel>
void forward_blocks(
    Kernel kernel, const at::Tensor &x, const at::Tensor &delta, const at::Tensor &weight, double epsilon,
    at::Tensor &sum, at::Tensor &normed, at::Tensor &inverses) {
    const int64_t width = x.size(1);
    const R *x_data = x.data_ptr<R>();
    const D *delta_data = delta.defined() ? delta.data_ptr<D>() : nullptr;
    const R *weight_data = weight.data_ptr<R>();
    R *sum_data = delta_data ? sum.data_ptr<R>() : nullptr;
    O *normed_data = normed.data_ptr<O>();
    R *inverse_data = inverses.data_ptr<R>();
    for_blocks(x.size(0), [&](int64_t, int64_t from, int64_t to) {
        const int64_t at = from * width;
        kernel(
            x_data + at, delta_data ? delta_data + at : nullptr, weight_data, static_cast<R>(epsilon), to - from, width,
            sum_data ? sum_data + at : nullptr, normed_data + at, inverse_data + from);
    });
}

template <class R, class O, class D, class Kernel>
at::Tensor backward_blocks(
    Kernel kernel, const at::Tensor &normed_gradient, const at::Tensor &above, const at::Tensor &sum,
    const at::Tensor &weight, const at::Tensor &inverses, at::Tensor &gradient, at::Tensor &delta_gradient) {
    const int64_t width = sum.size(1);
    const int64_t blocks = (sum.size(0) + grain - 1) / grain;
    auto partial = at::zeros({blocks, width}, weight.options());
    const O *normed_data = normed_gradient.data_ptr<O>();
    const R *above_data = above.defined() ? above.data_ptr<R>() : nullptr;
    const R *sum_data = sum.data_ptr<R>();
    const R *weight_data = weight.data_ptr<R>();
    const R *inverse_data = inverses.data_ptr<R>();
    R *gradient_data = gradient.data_ptr<R>();
    D *delta_data = delta_gradient.defined() ? delta_gradient.data_ptr<D>() : nullptr;
    R *partial_data = partial.data_ptr<R>();
    for_blocks(sum.size(0), [&](int64_t block, int64_t from, int64_t to) {
        const int64_t at = from * width;
        kernel(
            normed_data + at, above_data ? above_data + at : nullptr, sum_data + at, weight_data, inverse_data + from,
            to - from, width, gradient_data + at, delta_data ? delta_data + at : nullptr, partial_data + block * width);
    });
    return partial.sum(0);
}

class AddRMSNorm : public torch::autograd::Function<AddRMSNorm> {
  public:
    static variable_list forward(
        AutogradContext *context, const at::Tensor &x, const OptionalTensor &added, const at::Tensor &weight,
        double epsilon, at::ScalarType type) {
        const bool adds = added.has_value();
        const auto delta = adds ? *added : at::Tensor();
        auto sum = adds ? at::empty_like(x) : x;
        auto normed = at::empty(x.sizes(), x.options().dtype(type));
        auto inverses = at::empty({x.size(0)}, x.options());
        if (x.scalar_type() == at::kDouble) {
            forward_blocks<double, double, double>(
                forward_double, x, delta, weight, epsilon, sum, normed, inverses);
        } else if (type == at::kBFloat16) {
            forward_blocks<float, BFloat16, BFloat16>(
                forward_bfloat, x, delta, weight, epsilon, sum, normed, inverses);
        } else {
            forward_blocks<float, float, float>(forward_float, x, delta, weight, epsilon, sum, normed, inverses);
        }
        context->save_for_backward({sum, weight, inverses});
        context->saved_data["adds"] = adds;
        context->set_materialize_grads(false);
        if (!adds) return {normed};
        return {normed, sum};
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const auto &sum = saved[0], &weight = saved[1], &inverses = saved[2];
        const bool adds = context->saved_data["adds"].toBool();
        const auto above = adds && gradients[1].defined() ? gradients[1].contiguous() : at::Tensor();
        if (!gradients[0].defined()) return {above, above, at::Tensor(), at::Tensor(), at::Tensor()};
        const auto normed_gradient = gradients[0].contiguous();
        auto gradient = at::empty_like(sum);
        const bool narrow = normed_gradient.scalar_type() == at::kBFloat16;
        auto delta_gradient = adds && narrow ? at::empty_like(normed_gradient) : at::Tensor();
        at::Tensor weight_gradient;
        if (sum.scalar_type() == at::kDouble) {
            weight_gradient = backward_blocks<double, double, double>(
                backward_double, normed_gradient, above, sum, weight, inverses, gradient, delta_gradient);
        } else if (narrow) {
            weight_gradient = backward_blocks<float, BFloat16, BFloat16>(
                backward_bfloat, normed_gradient, above, sum, weight, inverses, gradient, delta_gradient);
        } else {
            weight_gradient = backward_blocks<float, float, float>(
                backward_float, normed_gradient, above, sum, weight, inverses, gradient, delta_gradient);
        }
        if (adds && !narrow) delta_gradient = gradient;
        return {gradient, delta_gradient, weight_gradient, at::Tensor(), at::Tensor()};
    }
};

at::Tensor composed_norm(const at::Tensor &x, const at::Tensor &weight, double epsilon) {
    return x * at::rsqrt(x.square().mean(-1, true) + epsilon) * weight;
}

} // namespace

CTStatus ct_add_rms_norm(
    const CTTensor *x, const CTTensor *delta, const CTTensor *weight, double epsilon, CTType type, CTTensor **sum,
    CTTensor **normed) {
    return guarded([&] {
        require(x->value.dim() == 2 && weight->value.dim() == 1, "RMS norm wants a matrix and a vector of weights");
        require(x->value.size(1) == weight->value.size(0), "RMS norm: the weight is as long as no row of x");
        require(
            x->value.scalar_type() == weight->value.scalar_type(), "RMS norm: x and its weight differ in type");
        require(!delta || delta->value.sizes() == x->value.sizes(), "RMS norm: x and what is added differ in shape");
        const auto out = scalar_type(type);
        const bool direct = fused(x->value) && x->value.scalar_type() != at::kHalf
            && (!delta || delta->value.scalar_type() == out)
            && (out == x->value.scalar_type() || out == at::kBFloat16);
        if (direct) {
            const auto outputs = AddRMSNorm::apply(
                x->value.contiguous(), delta ? OptionalTensor(delta->value.contiguous()) : OptionalTensor(),
                weight->value, epsilon, out);
            *normed = handle(outputs[0]);
            *sum = handle(delta ? outputs[1] : x->value);
        } else {
            const auto total = delta ? x->value + delta->value : x->value;
            *normed = handle(composed_norm(total, weight->value, epsilon).to(out));
            *sum = handle(total);
        }
    });
}

CTStatus ct_head_rms_norm(const CTTensor *x, const CTTensor *weight, double epsilon, CTTensor **out) {
    return guarded([&] {
        const int64_t size = weight->value.size(0);
        require(size > 0 && x->value.size(-1) % size == 0, "head norm: the row is no multiple of the weight's length");
        const auto wide = x->value.to(weight->value.scalar_type()).reshape({-1, size});
        const auto normed = fused(wide) ? AddRMSNorm::apply(
                                              wide.contiguous(), OptionalTensor(), weight->value, epsilon,
                                              wide.scalar_type())[0]
                                        : composed_norm(wide, weight->value, epsilon);
        *out = handle(normed.reshape(x->value.sizes()).to(x->value.scalar_type()));
    });
}
