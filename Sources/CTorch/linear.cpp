#include "boundary.hpp"
#include "products.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <vector>

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// y [m, n] = x [m, k] · w [n, k]ᵀ
at::Tensor forward_product(const at::Tensor &x, const at::Tensor &w) {
    if (x.scalar_type() == at::kFloat && x.is_cpu()) {
        auto y = at::empty({x.size(0), w.size(0)}, x.options());
        product(
            false, true, x.size(0), w.size(0), x.size(1), 1.0f, x.data_ptr<float>(), x.size(1), w.data_ptr<float>(),
            w.size(1), 0.0f, y.data_ptr<float>(), y.size(1));
        return y;
    }
    return at::mm(x, w.t());
}

/// dx [m, k] += dy [m, n] · w [n, k]; allocates dx when it is undefined.
void add_input_gradient(at::Tensor &dx, const at::Tensor &dy, const at::Tensor &w) {
    if (dy.scalar_type() == at::kFloat && dy.is_cpu()) {
        const float beta = dx.defined() ? 1.0f : 0.0f;
        if (!dx.defined()) dx = at::empty({dy.size(0), w.size(1)}, dy.options());
        product(
            false, false, dy.size(0), w.size(1), w.size(0), 1.0f, dy.data_ptr<float>(), dy.size(1),
            w.data_ptr<float>(), w.size(1), beta, dx.data_ptr<float>(), dx.size(1));
    } else if (dx.defined()) {
        dx.addmm_(dy, w);
    } else {
        dx = at::mm(dy, w);
    }
}

/// dw [n, k] = dy [m, n]ᵀ · x [m, k]
at::Tensor weight_gradient(const at::Tensor &dy, const at::Tensor &x) {
    if (dy.scalar_type() == at::kFloat && dy.is_cpu()) {
        auto dw = at::empty({dy.size(1), x.size(1)}, dy.options());
        product(
            true, false, dy.size(1), x.size(1), dy.size(0), 1.0f, dy.data_ptr<float>(), dy.size(1),
            x.data_ptr<float>(), x.size(1), 0.0f, dw.data_ptr<float>(), dw.size(1));
        return dw;
    }
    return at::mm(dy.t(), x);
}

/// Several linear maps of one input, whose gradient is summed inside the products. `bias_of` gives for each weight
/// the index of its bias, or -1.
class Linear : public torch::autograd::Function<Linear> {
  public:
    static variable_list forward(
        AutogradContext *context, const at::Tensor &x, const at::TensorList &weights, const at::TensorList &biases,
        const std::vector<int64_t> &bias_of) {
        const auto type = x.scalar_type();
        variable_list outputs, saved{x};
        std::vector<int64_t> types;
        for (size_t i = 0; i < weights.size(); ++i) {
            const auto weight = weights[i].to(type).contiguous();
            auto y = forward_product(x, weight);
            if (bias_of[i] >= 0) y.add_(biases[bias_of[i]].to(type));
            outputs.push_back(y);
            saved.push_back(weight);
            types.push_back(static_cast<int64_t>(weights[i].scalar_type()));
        }
        context->save_for_backward(saved);
        context->saved_data["types"] = types;
        context->saved_data["bias_of"] = bias_of;
        return outputs;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const auto types = context->saved_data["types"].toIntVector();
        const auto bias_of = context->saved_data["bias_of"].toIntVector();
        const size_t count = gradients.size();
        size_t biases = 0;
        for (const auto index : bias_of) biases += index >= 0;
        variable_list result(1 + count + biases + 1);
        for (size_t i = 0; i < count; ++i) {
            const auto dy = gradients[i].contiguous();
            const auto type = static_cast<at::ScalarType>(types[i]);
            if (context->needs_input_grad(0)) add_input_gradient(result[0], dy, saved[1 + i]);
            if (context->needs_input_grad(1 + i)) result[1 + i] = weight_gradient(dy, saved[0]).to(type);
            const size_t bias = 1 + count + bias_of[i];
            if (bias_of[i] >= 0 && context->needs_input_grad(bias)) result[bias] = dy.sum(0, false, type);
        }
        return result;
    }
};

} // namespace

CTStatus ct_linear(
    const CTTensor *x, CTTensor *const *weights, CTTensor *const *biases, int32_t count, CTTensor **outs) {
    return guarded([&] {
        const auto type = x->value.scalar_type();
        variable_list weight_list, bias_list;
        std::vector<int64_t> bias_of;
        for (int32_t i = 0; i < count; ++i) {
            const auto &weight = weights[i]->value;
            require(x->value.dim() == 2 && weight.dim() == 2, "a linear map wants matrices");
            require(x->value.size(1) == weight.size(1), "a linear map's weight does not fit its input");
            weight_list.push_back(weight);
            bias_of.push_back(biases && biases[i] ? static_cast<int64_t>(bias_list.size()) : -1);
            if (bias_of.back() >= 0) bias_list.push_back(biases[i]->value);
        }
        variable_list outputs;
        if (fused(x->value)) {
            outputs = Linear::apply(
                x->value.contiguous(), at::TensorList(weight_list), at::TensorList(bias_list), bias_of);
        } else {
            for (int32_t i = 0; i < count; ++i) {
                auto y = at::mm(x->value, weight_list[i].to(type).t());
                outputs.push_back(bias_of[i] >= 0 ? y + bias_list[bias_of[i]].to(type) : y);
            }
        }
        for (int32_t i = 0; i < count; ++i) outs[i] = handle(outputs[i]);
    });
}
