#include "boundary.hpp"

#include <torch/csrc/autograd/custom_function.h>

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

at::ScalarType activation_type(const at::Tensor &table) {
    return table.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// Rows of a table; the gradient is summed in the order of the tokens.
class Embedding : public torch::autograd::Function<Embedding> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &table, const at::Tensor &tokens) {
        context->save_for_backward({tokens});
        context->saved_data["rows"] = table.size(0);
        context->saved_data["type"] = static_cast<int64_t>(table.scalar_type());
        return table.index_select(0, tokens).to(activation_type(table));
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto tokens = context->get_saved_variables()[0];
        const auto gradient = gradients[0].contiguous();
        auto result = at::zeros({context->saved_data["rows"].toInt(), gradient.size(1)}, gradient.options());
        const int64_t *indices = tokens.data_ptr<int64_t>();
        const int64_t width = gradient.size(1);
        const auto add = [&](auto *tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            const T *source = gradient.data_ptr<T>();
            T *target = result.data_ptr<T>();
            for (int64_t row = 0; row < gradient.size(0); ++row) {
                for (int64_t i = 0; i < width; ++i) target[indices[row] * width + i] += source[row * width + i];
            }
        };
        if (gradient.scalar_type() == at::kDouble) {
            add(static_cast<double *>(nullptr));
        } else {
            add(static_cast<float *>(nullptr));
        }
        const auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
        return {result.to(type), at::Tensor()};
    }
};

} // namespace

CTStatus ct_embedding(const CTTensor *table, const int64_t *tokens, int64_t count, CTTensor **out) {
    return guarded([&] {
        const auto &values = table->value;
        require(values.dim() == 2, "an embedding is a matrix");
        for (int64_t i = 0; i < count; ++i) {
            require(tokens[i] >= 0 && tokens[i] < values.size(0), "a token id lies outside the embedding");
        }
        const auto index = copied(tokens, count, at::kCPU);
        *out = handle(
            fused(values) ? Embedding::apply(values.contiguous(), index)
                          : values.index_select(0, index.to(values.device())).to(activation_type(values)));
    });
}
