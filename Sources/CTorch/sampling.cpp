#include "boundary.hpp"
#include "logits.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace ctorch;

namespace {

int64_t most_likely(const float *logits, int64_t vocabulary) {
    int64_t best = 0;
    for (int64_t j = 1; j < vocabulary; ++j) {
        if (logits[j] > logits[best]) best = j;
    }
    return best;
}

/// Takes candidates, most likely first, until `share` of `total` is reached; returns how many and what they weigh.
struct Nucleus {
    size_t count;
    double weight;
};

template <class Weight, class Next>
Nucleus nucleus(size_t candidates, double total, double share, Weight weight, Next next) {
    Nucleus result{0, 0};
    while (result.count < candidates && (result.count == 0 || result.weight < share * total)) {
        result.weight += weight(next(result.count));
        ++result.count;
    }
    return result;
}

/// Sums are in double, in an order that the logits alone decide.
int64_t draw(const float *logits, int64_t vocabulary, const CTSampling &how, std::vector<int64_t> &order) {
    const int64_t best = most_likely(logits, vocabulary);
    if (how.temperature == 0 || how.top_k == 1) return best;
    const double largest = logits[best], scale = 1 / how.temperature;
    const auto weight = [&](int64_t j) { return std::exp((static_cast<double>(logits[j]) - largest) * scale); };
    const int64_t kept_by_rank = how.top_k > 0 && how.top_k < vocabulary ? how.top_k : 0;
    if (kept_by_rank == 0 && how.top_p >= 1) {
        double total = 0;
        for (int64_t j = 0; j < vocabulary; ++j) total += weight(j);
        double rest = how.uniform * total;
        for (int64_t j = 0; j < vocabulary; ++j) {
            rest -= weight(j);
            if (rest < 0) return j;
        }
        return best;
    }
    const auto likelier = [&](int64_t a, int64_t b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    };
    order.resize(vocabulary);
    for (int64_t j = 0; j < vocabulary; ++j) order[j] = j;
    double total = 0;
    Nucleus kept;
    if (kept_by_rank > 0) {
        std::nth_element(order.begin(), order.begin() + kept_by_rank - 1, order.end(), likelier);
        order.resize(kept_by_rank);
        std::sort(order.begin(), order.end(), likelier);
        for (const auto j : order) total += weight(j);
        kept = nucleus(order.size(), total, how.top_p, weight, [&](size_t i) { return order[i]; });
    } else {
        // A nucleus is small: a heap hands out as many as are needed without sorting the vocabulary.
        for (const auto j : order) total += weight(j);
        const auto below = [&](int64_t a, int64_t b) { return likelier(b, a); };
        std::make_heap(order.begin(), order.end(), below);
        std::vector<int64_t> taken;
        kept = nucleus(order.size(), total, how.top_p, weight, [&](size_t i) {
            std::pop_heap(order.begin(), order.end() - static_cast<int64_t>(i), below);
            taken.push_back(order[order.size() - 1 - i]);
            return taken.back();
        });
        order = std::move(taken);
    }
    double rest = how.uniform * kept.weight;
    for (size_t i = 0; i < kept.count; ++i) {
        rest -= weight(order[i]);
        if (rest < 0) return order[i];
    }
    return order[0];
}

} // namespace

CTStatus ct_most_likely(const CTTensor *hidden, const CTTensor *weight, int64_t *tokens) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        const auto logits = output_logits(hidden->value, weight->value).to(at::kCPU, at::kFloat);
        for (int64_t row = 0; row < logits.size(0); ++row) {
            tokens[row] = most_likely(logits.data_ptr<float>() + row * logits.size(1), logits.size(1));
        }
    });
}

CTStatus ct_sample(const CTTensor *hidden, const CTTensor *weight, const CTSampling *sampling, int64_t *tokens) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        const auto logits = output_logits(hidden->value, weight->value).to(at::kCPU, at::kFloat);
        std::vector<int64_t> order;
        for (int64_t row = 0; row < logits.size(0); ++row) {
            const auto &how = sampling[row];
            require(
                how.temperature >= 0 && how.top_p > 0 && how.top_p <= 1 && how.uniform >= 0 && how.uniform < 1,
                "sampling wants a temperature of at least 0, top-p in (0, 1] and a draw in [0, 1)");
            tokens[row] = draw(logits.data_ptr<float>() + row * logits.size(1), logits.size(1), how, order);
        }
    });
}
