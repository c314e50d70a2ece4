#include "boundary.hpp"
#include "logits.hpp"
#include "products.hpp"
#include "vectors.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace ctorch;
using c10::BFloat16;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// The rows whose loss is wanted, all arrays of `count`; ceilings may be null.
struct Targets {
    const int64_t *rows;
    const int64_t *tokens;
    const double *weights;
    const double *ceilings;
    int64_t count;
    double *nll;
    uint8_t *correct;

    Targets from(int64_t index, int64_t length) const {
        return {rows + index, tokens + index, weights + index, ceilings ? ceilings + index : nullptr, length,
                nll ? nll + index : nullptr, correct ? correct + index : nullptr};
    }
};

/// Terms that are added up in the arithmetic of the logits.
constexpr int64_t sum_block = 1024;

/// One row of logits becomes w (softmax - onehot(target)), where `wants_gradient`. Returns w · nll.
template <class T>
CT_INLINE double loss_row(T *logits, int64_t vocabulary, const Targets &targets, int64_t i, bool wants_gradient) {
    using A = arithmetic<T>;
    const int64_t target = targets.tokens[i];
    A largest = -std::numeric_limits<A>::infinity();
    // In blocks, and those in double precision: a float sum over a vocabulary of 50 000 would be off by 1e-4.
    double sum = 0;
    {
        CT_REORDER
        for (int64_t j = 0; j < vocabulary; ++j) largest = load(logits + j) > largest ? load(logits + j) : largest;
        for (int64_t start = 0; start < vocabulary; start += sum_block) {
            const int64_t end = std::min(start + sum_block, vocabulary);
            A part = 0;
            for (int64_t j = start; j < end; ++j) part += exponential(load(logits + j) - largest);
            sum += static_cast<double>(part);
        }
    }
    const A chosen = load(logits + target);
    const double nll = std::log(sum) + static_cast<double>(largest) - static_cast<double>(chosen);
    if (targets.nll) targets.nll[i] = nll;
    if (targets.correct) targets.correct[i] = chosen == largest;
    const bool counts = !targets.ceilings || nll <= targets.ceilings[i];
    const double weight = counts ? targets.weights[i] : 0;
    if (wants_gradient) {
        const A scale = static_cast<A>(weight / sum);
        for (int64_t j = 0; j < vocabulary; ++j) {
            store(logits + j, exponential(load(logits + j) - largest) * scale);
        }
        store(logits + target, load(logits + target) - static_cast<A>(weight));
    }
    return weight == 0 ? 0 : weight * nll;
}

template <class T>
CT_INLINE void loss_rows(T *logits, int64_t vocabulary, const Targets &targets, bool wants_gradient, double *losses) {
    for (int64_t i = 0; i < targets.count; ++i) {
        losses[i] = loss_row(logits + i * vocabulary, vocabulary, targets, i, wants_gradient);
    }
}

#define CT_LOSS(T)                                                                                                     \
    CT_CLONES void loss_kernel(                                                                                        \
        T *logits, int64_t vocabulary, const Targets &targets, bool wants_gradient, double *losses) {                  \
        loss_rows(logits, vocabulary, targets, wants_gradient, losses);                                                \
    }

CT_LOSS(float)
CT_LOSS(BFloat16)
CT_LOSS(double)

/// Logits that are held at once: few enough to stay in the cache.
constexpr int64_t logits_at_once = 1 << 18;

int64_t rows_at_once(int64_t vocabulary) { return std::max<int64_t>(64, logits_at_once / vocabulary); }

template <class T> struct Head {
    static at::Tensor logits(const at::Tensor &hidden, const at::Tensor &weight) {
        auto out = at::empty({hidden.size(0), weight.size(0)}, hidden.options());
        product(
            false, true, hidden.size(0), weight.size(0), hidden.size(1), T(1), hidden.data_ptr<T>(), hidden.size(1),
            weight.data_ptr<T>(), weight.size(1), T(0), out.data_ptr<T>(), out.size(1));
        return out;
    }
    static at::Tensor hidden_gradient(const at::Tensor &logits, const at::Tensor &weight) {
        auto out = at::empty({logits.size(0), weight.size(1)}, logits.options());
        product(
            false, false, logits.size(0), weight.size(1), weight.size(0), T(1), logits.data_ptr<T>(), logits.size(1),
            weight.data_ptr<T>(), weight.size(1), T(0), out.data_ptr<T>(), out.size(1));
        return out;
    }
    static void add_weight_gradient(at::Tensor &sum, const at::Tensor &logits, const at::Tensor &hidden) {
        product(
            true, false, logits.size(1), hidden.size(1), logits.size(0), T(1), logits.data_ptr<T>(), logits.size(1),
            hidden.data_ptr<T>(), hidden.size(1), T(1), sum.data_ptr<T>(), sum.size(1));
    }
};

template <> struct Head<BFloat16> {
    static at::Tensor logits(const at::Tensor &hidden, const at::Tensor &weight) { return at::mm(hidden, weight.t()); }
    static at::Tensor hidden_gradient(const at::Tensor &logits, const at::Tensor &weight) {
        return at::mm(logits, weight);
    }
    static void add_weight_gradient(at::Tensor &sum, const at::Tensor &logits, const at::Tensor &hidden) {
        sum.add_(at::mm(logits.t(), hidden));
    }
};

template <class Body> auto dispatch(const at::Tensor &tensor, Body body) {
    switch (tensor.scalar_type()) {
    case at::kDouble: return body(static_cast<double *>(nullptr));
    case at::kBFloat16: return body(static_cast<BFloat16 *>(nullptr));
    case at::kFloat: return body(static_cast<float *>(nullptr));
    default: throw std::invalid_argument("the output layer has an unsupported element type");
    }
}

/// Loss and its gradient in one pass: the gradient of a weighted sum of NLLs needs nothing from above but a factor.
class TokenLoss : public torch::autograd::Function<TokenLoss> {
  public:
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &hidden, const at::Tensor &weight, const Targets &targets,
        bool wants_hidden, bool wants_weight) {
        const auto type = hidden.scalar_type();
        const auto wide = type == at::kDouble ? at::kDouble : at::kFloat;
        const auto narrow_weight = weight.to(type).contiguous();
        auto hidden_gradient = wants_hidden ? at::zeros_like(hidden) : at::Tensor();
        auto weight_gradient
            = wants_weight ? at::zeros(weight.sizes(), weight.options().dtype(wide)) : at::Tensor();
        const int64_t vocabulary = weight.size(0), step = rows_at_once(vocabulary);
        std::vector<double> losses(targets.count);
        dispatch(hidden, [&](auto *tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            for (int64_t first = 0; first < targets.count; first += step) {
                const int64_t count = std::min(step, targets.count - first);
                const auto part = targets.from(first, count);
                const auto index = at::from_blob(const_cast<int64_t *>(part.rows), {count}, at::kLong);
                const auto rows = hidden.index_select(0, index);
                const auto logits = Head<T>::logits(rows, narrow_weight);
                T *data = logits.template data_ptr<T>();
                at::parallel_for(0, count, 16, [&](int64_t from, int64_t to) {
                    loss_kernel(
                        data + from * vocabulary, vocabulary, part.from(from, to - from), wants_hidden || wants_weight,
                        losses.data() + first + from);
                });
                if (wants_hidden) {
                    hidden_gradient.index_add_(0, index, Head<T>::hidden_gradient(logits, narrow_weight));
                }
                if (wants_weight) Head<T>::add_weight_gradient(weight_gradient, logits, rows);
            }
        });
        double loss = 0;
        for (const double value : losses) loss += value;
        context->save_for_backward(
            {wants_hidden ? hidden_gradient : at::empty({0}), wants_weight ? weight_gradient : at::empty({0})});
        context->saved_data["hidden"] = wants_hidden;
        context->saved_data["weight"] = wants_weight;
        context->saved_data["type"] = static_cast<int64_t>(weight.scalar_type());
        return at::scalar_tensor(loss, at::TensorOptions().dtype(at::kDouble));
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const double factor = gradients[0].item<double>();
        const auto scaled = [&](const at::Tensor &gradient) { return factor == 1 ? gradient : gradient * factor; };
        variable_list result(5);
        if (context->saved_data["hidden"].toBool()) result[0] = scaled(saved[0]);
        if (context->saved_data["weight"].toBool()) {
            result[1] = scaled(saved[1]).to(static_cast<at::ScalarType>(context->saved_data["type"].toInt()));
        }
        return result;
    }
};

at::Tensor composed_loss(const at::Tensor &hidden, const at::Tensor &weight, const Targets &targets) {
    const auto device = hidden.device();
    const auto type = hidden.scalar_type();
    const auto wide = type == at::kDouble ? at::kDouble : at::kFloat;
    const auto logits = at::mm(hidden.index_select(0, copied(targets.rows, targets.count, device)), weight.to(type).t()).to(wide);
    const auto tokens = copied(targets.tokens, targets.count, device).unsqueeze(1);
    const auto chosen = logits.gather(1, tokens).squeeze(1);
    const auto nll = (at::logsumexp(logits, {1}) - chosen).to(at::kDouble);
    auto weights = copied(targets.weights, targets.count, device);
    if (targets.ceilings) weights = weights * (nll.detach() <= copied(targets.ceilings, targets.count, device));
    if (targets.nll) {
        const auto host = nll.detach().cpu();
        std::copy_n(host.data_ptr<double>(), targets.count, targets.nll);
    }
    if (targets.correct) {
        const auto host = (chosen == logits.amax(1)).to(at::kByte).cpu();
        std::copy_n(host.data_ptr<uint8_t>(), targets.count, targets.correct);
    }
    return at::where(weights != 0, weights * nll, at::zeros_like(nll)).sum();
}

} // namespace

at::Tensor ctorch::output_logits(const at::Tensor &hidden, const at::Tensor &weight) {
    const auto h = hidden.contiguous();
    const auto w = weight.to(h.scalar_type()).contiguous();
    require(h.dim() == 2 && w.dim() == 2 && h.size(1) == w.size(1), "the output layer does not fit its input");
    if (!fused(h)) return at::mm(h, w.t());
    return dispatch(h, [&](auto *tag) { return Head<std::remove_pointer_t<decltype(tag)>>::logits(h, w); });
}

CTStatus ct_token_loss(
    const CTTensor *hidden, const CTTensor *weight, const int64_t *rows, const int64_t *targets,
    const double *weights, const double *ceilings, int64_t count, double *nll, uint8_t *correct, CTTensor **loss) {
    return guarded([&] {
        const auto &h = hidden->value, &w = weight->value;
        require(h.dim() == 2 && w.dim() == 2 && h.size(1) == w.size(1), "the output layer does not fit its input");
        for (int64_t i = 0; i < count; ++i) {
            require(rows[i] >= 0 && rows[i] < h.size(0), "a row of the loss lies outside the batch");
            require(targets[i] >= 0 && targets[i] < w.size(0), "a target lies outside the vocabulary");
        }
        const Targets list{rows, targets, weights, ceilings, count, nll, correct};
        if (!fused(h)) {
            *loss = handle(composed_loss(h, w, list));
            return;
        }
        const bool records = at::GradMode::is_enabled();
        *loss = handle(TokenLoss::apply(
            h.contiguous(), w, list, records && h.requires_grad(), records && w.requires_grad()));
    });
}
