#include "boundary.hpp"
#include "dropout.hpp"
#include "products.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <vector>

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

bool direct(const at::Tensor &tensor) { return tensor.scalar_type() == at::kFloat && tensor.is_cpu(); }

/// y [m, n] = x [m, k] · w [n, k]ᵀ
at::Tensor forward_product(const at::Tensor &x, const at::Tensor &w) {
    if (direct(x)) {
        auto y = at::empty({x.size(0), w.size(0)}, x.options());
        product(
            false, true, x.size(0), w.size(0), x.size(1), 1.0f, x.data_ptr<float>(), x.size(1), w.data_ptr<float>(),
            w.size(1), 0.0f, y.data_ptr<float>(), y.size(1));
        return y;
    }
    return at::mm(x, w.t());
}

/// y [m, n] += scale · h [m, r] · b [n, r]ᵀ
void add_forward_product(at::Tensor &y, const at::Tensor &h, const at::Tensor &b, double scale) {
    if (direct(y)) {
        product(
            false, true, h.size(0), b.size(0), h.size(1), static_cast<float>(scale), h.data_ptr<float>(), h.size(1),
            b.data_ptr<float>(), b.size(1), 1.0f, y.data_ptr<float>(), y.size(1));
    } else {
        y.addmm_(h, b.t(), 1, scale);
    }
}

/// dx [m, k] += dy [m, n] · w [n, k] · scale; allocates dx when it is undefined.
void add_input_gradient(at::Tensor &dx, const at::Tensor &dy, const at::Tensor &w, double scale = 1) {
    if (direct(dy)) {
        const float beta = dx.defined() ? 1.0f : 0.0f;
        if (!dx.defined()) dx = at::empty({dy.size(0), w.size(1)}, dy.options());
        product(
            false, false, dy.size(0), w.size(1), w.size(0), static_cast<float>(scale), dy.data_ptr<float>(),
            dy.size(1), w.data_ptr<float>(), w.size(1), beta, dx.data_ptr<float>(), dx.size(1));
    } else if (dx.defined()) {
        dx.addmm_(dy, w, 1, scale);
    } else {
        dx = at::mm(dy, w);
        if (scale != 1) dx.mul_(scale);
    }
}

/// dw [n, k] = dy [m, n]ᵀ · x [m, k] · scale
at::Tensor weight_gradient(const at::Tensor &dy, const at::Tensor &x, double scale = 1) {
    if (direct(dy)) {
        auto dw = at::empty({dy.size(1), x.size(1)}, dy.options());
        product(
            true, false, dy.size(1), x.size(1), dy.size(0), static_cast<float>(scale), dy.data_ptr<float>(),
            dy.size(1), x.data_ptr<float>(), x.size(1), 0.0f, dw.data_ptr<float>(), dw.size(1));
        return dw;
    }
    auto dw = at::mm(dy.t(), x);
    return scale == 1 ? dw : dw.mul_(scale);
}

/// What of several linear maps is no tensor. An index of -1: there is none.
struct Extras {
    std::vector<int64_t> bias_of, update_of;
    /// Of each update.
    std::vector<double> scales, shares;
    std::vector<int64_t> keys;

    Dropout dropout(size_t update) const { return {shares[update], static_cast<uint64_t>(keys[update])}; }
};

/// Several linear maps of one input, whose gradient is summed inside the products, each with a low-rank update or
/// without. Gradients of weights that ask for none are not computed.
class Linear : public torch::autograd::Function<Linear> {
  public:
    static variable_list forward(
        AutogradContext *context, const at::Tensor &x, const at::TensorList &weights, const at::TensorList &biases,
        const at::TensorList &downs, const at::TensorList &ups, const Extras &extras) {
        const auto type = x.scalar_type();
        // In this order: x, weights, then a, b and x · aᵀ of each update.
        variable_list outputs, saved{x}, updates;
        std::vector<int64_t> types;
        for (size_t i = 0; i < weights.size(); ++i) {
            const auto weight = weights[i].to(type).contiguous();
            auto y = forward_product(x, weight);
            if (extras.bias_of[i] >= 0) y.add_(biases[extras.bias_of[i]].to(type));
            if (const auto index = extras.update_of[i]; index >= 0) {
                const auto a = downs[index].to(type).contiguous(), b = ups[index].to(type).contiguous();
                const auto narrow = forward_product(dropped(x, extras.dropout(index)), a);
                add_forward_product(y, narrow, b, extras.scales[index]);
                updates.insert(updates.end(), {a, b, narrow});
            }
            outputs.push_back(y);
            saved.push_back(weight);
            types.push_back(static_cast<int64_t>(weights[i].scalar_type()));
        }
        for (const auto &down : downs) types.push_back(static_cast<int64_t>(down.scalar_type()));
        saved.insert(saved.end(), updates.begin(), updates.end());
        context->save_for_backward(saved);
        context->saved_data["types"] = types;
        context->saved_data["bias_of"] = extras.bias_of;
        context->saved_data["update_of"] = extras.update_of;
        context->saved_data["scales"] = extras.scales;
        context->saved_data["shares"] = extras.shares;
        context->saved_data["keys"] = extras.keys;
        return outputs;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        auto &data = context->saved_data;
        const auto types = data["types"].toIntVector();
        const Extras extras{
            data["bias_of"].toIntVector(), data["update_of"].toIntVector(), data["scales"].toDoubleVector(),
            data["shares"].toDoubleVector(), data["keys"].toIntVector()};
        const size_t count = gradients.size(), updates = extras.scales.size();
        size_t biases = 0;
        for (const auto index : extras.bias_of) biases += index >= 0;
        const size_t first_down = 1 + count + biases, first_up = first_down + updates;
        variable_list result(first_up + updates + 1);
        const bool wants_input = context->needs_input_grad(0);
        for (size_t i = 0; i < count; ++i) {
            const auto dy = gradients[i].contiguous();
            if (wants_input) add_input_gradient(result[0], dy, saved[1 + i]);
            if (context->needs_input_grad(1 + i)) result[1 + i] = weight_gradient(dy, saved[0]).to(type(types[i]));
            const size_t bias = 1 + count + extras.bias_of[i];
            if (extras.bias_of[i] >= 0 && context->needs_input_grad(bias)) {
                result[bias] = dy.sum(0, false, type(types[i]));
            }
            if (extras.update_of[i] < 0) continue;
            const size_t index = extras.update_of[i];
            const at::Tensor *update = saved.data() + 1 + count + 3 * index;
            const auto dropout = extras.dropout(index);
            const double scale = extras.scales[index];
            if (context->needs_input_grad(first_up + index)) {
                result[first_up + index] = weight_gradient(dy, update[2], scale).to(type(types[count + index]));
            }
            at::Tensor narrow;
            add_input_gradient(narrow, dy, update[1], scale);
            if (context->needs_input_grad(first_down + index)) {
                result[first_down + index]
                    = weight_gradient(narrow, dropped(saved[0], dropout)).to(type(types[count + index]));
            }
            if (!wants_input) continue;
            if (dropout.active()) {
                at::Tensor through;
                add_input_gradient(through, narrow, update[0]);
                result[0].add_(dropped(through, dropout));
            } else {
                add_input_gradient(result[0], narrow, update[0]);
            }
        }
        return result;
    }

  private:
    static at::ScalarType type(int64_t value) { return static_cast<at::ScalarType>(value); }
};

/// The maps of one call, checked.
struct Maps {
    variable_list weights, biases, downs, ups;
    Extras extras;

    Maps(
        const at::Tensor &x, CTTensor *const *weight_handles, CTTensor *const *bias_handles, const CTLowRank *updates,
        int32_t count) {
        for (int32_t i = 0; i < count; ++i) {
            const auto &weight = weight_handles[i]->value;
            require(x.dim() == 2 && weight.dim() == 2, "a linear map wants matrices");
            require(x.size(1) == weight.size(1), "a linear map's weight does not fit its input");
            weights.push_back(weight);
            extras.bias_of.push_back(
                bias_handles && bias_handles[i] ? static_cast<int64_t>(biases.size()) : -1);
            if (extras.bias_of.back() >= 0) biases.push_back(bias_handles[i]->value);
            const bool updated = updates && updates[i].a && updates[i].b;
            extras.update_of.push_back(updated ? static_cast<int64_t>(downs.size()) : -1);
            if (updated) add(updates[i], weight);
        }
    }

    void add(const CTLowRank &update, const at::Tensor &weight) {
        const auto &a = update.a->value, &b = update.b->value;
        require(
            a.dim() == 2 && b.dim() == 2 && a.size(1) == weight.size(1) && b.size(0) == weight.size(0)
                && a.size(0) == b.size(1),
            "a low-rank update does not fit its weight");
        require(update.dropout >= 0 && update.dropout < 1, "dropout must lie in [0, 1)");
        downs.push_back(a);
        ups.push_back(b);
        extras.scales.push_back(update.scale);
        extras.shares.push_back(update.dropout);
        extras.keys.push_back(static_cast<int64_t>(update.key));
    }

    /// From libtorch's own operations.
    variable_list composed(const at::Tensor &x) const {
        const auto type = x.scalar_type();
        variable_list outputs;
        for (size_t i = 0; i < weights.size(); ++i) {
            auto y = at::mm(x, weights[i].to(type).t());
            if (extras.bias_of[i] >= 0) y = y + biases[extras.bias_of[i]].to(type);
            if (const auto index = extras.update_of[i]; index >= 0) {
                const auto ones = at::ones(x.sizes(), x.options().device(at::kCPU));
                const auto mask = dropped(ones, extras.dropout(index)).to(x.device());
                const auto narrow = at::mm(x * mask, downs[index].to(type).t());
                y = y + at::mm(narrow, ups[index].to(type).t()) * extras.scales[index];
            }
            outputs.push_back(y);
        }
        return outputs;
    }
};

} // namespace

CTStatus ct_linear(
    const CTTensor *x, CTTensor *const *weights, CTTensor *const *biases, int32_t count, CTTensor **outs) {
    return ct_low_rank_linear(x, weights, biases, nullptr, count, outs);
}

CTStatus ct_low_rank_linear(
    const CTTensor *x, CTTensor *const *weights, CTTensor *const *biases, const CTLowRank *updates, int32_t count,
    CTTensor **outs) {
    return guarded([&] {
        const Maps maps(x->value, weights, biases, updates, count);
        const auto outputs = fused(x->value)
            ? Linear::apply(
                  x->value.contiguous(), at::TensorList(maps.weights), at::TensorList(maps.biases),
                  at::TensorList(maps.downs), at::TensorList(maps.ups), maps.extras)
            : maps.composed(x->value);
        for (int32_t i = 0; i < count; ++i) outs[i] = handle(outputs[i]);
    });
}

CTStatus ct_merge_low_rank(
    const CTTensor *weight, const CTTensor *a, const CTTensor *b, double scale, CTTensor **out) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        const auto &w = weight->value;
        const auto wide = w.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
        const auto down = a->value.to(wide).contiguous(), up = b->value.to(wide).contiguous();
        require(
            w.dim() == 2 && down.dim() == 2 && up.dim() == 2 && up.size(0) == w.size(0) && down.size(1) == w.size(1)
                && up.size(1) == down.size(0),
            "a low-rank update does not fit its weight");
        auto sum = w.detach().to(wide).clone();
        add_input_gradient(sum, up, down, scale);
        *out = handle(sum.to(w.scalar_type()));
    });
}
