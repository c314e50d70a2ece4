#include "attention_pass.hpp"
#include "products.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

using namespace ctorch;
using c10::BFloat16;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace ctorch {

void check_attention(
    const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const at::Tensor &cosines, const at::Tensor &sines,
    const CTAttentionShape &shape) {
    require(q.dim() == 2 && k.dim() == 2 && v.dim() == 2, "attention wants matrices");
    require(
        shape.heads > 0 && shape.key_value_heads > 0 && shape.heads % shape.key_value_heads == 0
            && shape.head_size > 0 && shape.head_size % 2 == 0,
        "attention: impossible numbers of heads");
    require(q.size(1) == shape.heads * shape.head_size, "attention: the queries do not fit the heads");
    require(
        k.size(1) == shape.key_value_heads * shape.head_size && k.sizes() == v.sizes(),
        "attention: keys or values do not fit the heads");
    require(q.scalar_type() == k.scalar_type() && k.scalar_type() == v.scalar_type(), "attention: types differ");
    require(
        cosines.dim() == 2 && cosines.sizes() == sines.sizes() && cosines.size(1) * 2 == shape.head_size,
        "attention: the angles do not fit the head");
}

} // namespace ctorch

namespace {

CT_ATTENTION(float, float)
CT_ATTENTION(BFloat16, float)
CT_ATTENTION(double, double)

/// Queries of a head that are handled at once; keys after the last of them are not looked at.
constexpr int64_t block = 64;

template <class T, class A>
void forward_head(const Pass<T> &pass, const CTSegment &segment, int64_t head, Scratch<A> &scratch) {
    const int64_t size = pass.shape.head_size, group = pass.shape.heads / pass.shape.key_value_heads;
    const int64_t total = segment.prefix_length + segment.length;
    A *keys = sized(scratch.keys, total * size), *values = sized(scratch.values, total * size);
    load_keys(pass, segment, head, keys, values);
    for (int64_t first = segment.first_query; first < segment.length; first += block) {
        const int64_t count = std::min(block, segment.length - first), rows = group * count;
        const int64_t visible = segment.prefix_length + first + count;
        A *queries = sized(scratch.queries, rows * size), *scores = sized(scratch.scores, rows * visible);
        A *outputs = sized(scratch.outputs, rows * size);
        load_queries(
            pass, segment, head, group, first, count, pass.q, pass.cosines, pass.sines, queries);
        product(false, true, rows, visible, size, A(1), queries, size, keys, size, A(0), scores, visible);
        softmax_forward(
            scores, group, first, count, segment.prefix_length, visible, pass,
            pass.logsumexp + head * group * pass.rows + query_row(segment, 0));
        product(false, false, rows, size, visible, A(1), scores, visible, values, size, A(0), outputs, size);
        store_queries(pass, segment, head, group, first, count, outputs, nullptr, nullptr, pass.out);
    }
}

template <class T, class A>
void backward_head(const Pass<T> &pass, const CTSegment &segment, int64_t head, Scratch<A> &scratch) {
    const int64_t size = pass.shape.head_size, group = pass.shape.heads / pass.shape.key_value_heads;
    const int64_t total = segment.prefix_length + segment.length;
    A *keys = sized(scratch.keys, total * size), *values = sized(scratch.values, total * size);
    A *dk = sized(scratch.key_gradients, total * size), *dv = sized(scratch.value_gradients, total * size);
    std::fill(dk, dk + total * size, A(0));
    std::fill(dv, dv + total * size, A(0));
    load_keys(pass, segment, head, keys, values);
    for (int64_t first = segment.first_query; first < segment.length; first += block) {
        const int64_t count = std::min(block, segment.length - first), rows = group * count;
        const int64_t visible = segment.prefix_length + first + count;
        A *queries = sized(scratch.queries, rows * size), *scores = sized(scratch.scores, rows * visible);
        A *dout = sized(scratch.outputs, rows * size), *ds = sized(scratch.products, rows * visible);
        A *dq = sized(scratch.query_gradients, rows * size);
        load_queries(
            pass, segment, head, group, first, count, pass.q, pass.cosines, pass.sines, queries);
        load_queries(
            pass, segment, head, group, first, count, pass.out_gradient, nullptr, nullptr, dout);
        product(false, true, rows, visible, size, A(1), queries, size, keys, size, A(0), scores, visible);
        product(false, true, rows, visible, size, A(1), dout, size, values, size, A(0), ds, visible);
        softmax_backward(
            scores, ds, group, first, count, segment.prefix_length, visible, pass,
            pass.logsumexp + head * group * pass.rows + query_row(segment, 0));
        product(true, false, visible, size, rows, A(1), scores, visible, dout, size, A(1), dv, size);
        product(true, false, visible, size, rows, A(1), ds, visible, queries, size, A(1), dk, size);
        product(false, false, rows, size, visible, A(1), ds, visible, keys, size, A(0), dq, size);
        store_queries(
            pass, segment, head, group, first, count, dq, pass.cosines, pass.sines, pass.q_gradient);
    }
    add_key_gradients(pass, segment, head, dk, dv);
}

/// Segments that share rows, in order: one without a prefix and those that continue it.
using Family = std::vector<CTSegment>;

std::vector<Family> families(const std::vector<CTSegment> &segments, int64_t rows, int64_t queries) {
    std::vector<Family> result;
    int64_t next = 0, next_query = 0;
    for (const auto &segment : segments) {
        require(segment.start == next && segment.length > 0, "attention: segments must cover the rows in order");
        require(
            segment.first_query >= 0 && segment.first_query <= segment.length && segment.query_start == next_query,
            "attention: the queries of the segments must cover those given in order");
        next = segment.start + segment.length;
        next_query += segment.length - segment.first_query;
        if (segment.prefix_length == 0) {
            result.push_back({segment});
            continue;
        }
        require(!result.empty(), "attention: the first segment has a prefix");
        const auto &root = result.back().front();
        require(
            segment.prefix_start == root.start && segment.prefix_length <= root.length,
            "attention: a prefix must begin the last segment that has none itself");
        result.back().push_back(segment);
    }
    require(next == rows && next_query == queries, "attention: the segments do not cover all rows");
    return result;
}

template <class T> Pass<T> make_pass(
    const CTAttentionShape &shape, const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
    const at::Tensor &cosines, const at::Tensor &sines, const at::Tensor &out, const at::Tensor &logsumexp) {
    using A = arithmetic<T>;
    return Pass<T>{
        shape, q.data_ptr<T>(), k.data_ptr<T>(), v.data_ptr<T>(), cosines.data_ptr<A>(), sines.data_ptr<A>(),
        out.defined() ? out.data_ptr<T>() : nullptr, logsumexp.data_ptr<A>(), q.size(0), nullptr, nullptr, nullptr,
        nullptr};
}

/// Calls `body` for every family and key head; each pair writes rows and columns no other does.
template <class A, class Body>
void for_heads(const std::vector<Family> &all, const CTAttentionShape &shape, Body body) {
    const int64_t heads = shape.key_value_heads, tasks = static_cast<int64_t>(all.size()) * heads;
    at::parallel_for(0, tasks, 1, [&](int64_t from, int64_t to) {
        Scratch<A> scratch;
        for (int64_t task = from; task < to; ++task) {
            for (const auto &segment : all[task / heads]) body(segment, task % heads, scratch);
        }
    });
}

template <class Body> void dispatch(const at::Tensor &tensor, Body body) {
    switch (tensor.scalar_type()) {
    case at::kDouble: body(static_cast<double *>(nullptr)); break;
    case at::kBFloat16: body(static_cast<BFloat16 *>(nullptr)); break;
    case at::kFloat: body(static_cast<float *>(nullptr)); break;
    default: throw std::invalid_argument("attention: unsupported element type");
    }
}

at::ScalarType arithmetic_type(const at::Tensor &tensor) {
    return tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

class Attention : public torch::autograd::Function<Attention> {
  public:
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
        const at::Tensor &cosines, const at::Tensor &sines, const CTAttentionShape &shape,
        const std::vector<CTSegment> &segments) {
        auto out = at::empty_like(q);
        auto logsumexp = at::empty({shape.heads, q.size(0)}, q.options().dtype(arithmetic_type(q)));
        const auto all = families(segments, k.size(0), q.size(0));
        dispatch(q, [&](auto *tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            const auto pass = make_pass<T>(shape, q, k, v, cosines, sines, out, logsumexp);
            for_heads<arithmetic<T>>(all, shape, [&](const CTSegment &segment, int64_t head, auto &scratch) {
                forward_head(pass, segment, head, scratch);
            });
        });
        auto table = at::empty({static_cast<int64_t>(segments.size() * sizeof(CTSegment))}, at::kByte);
        memcpy(table.data_ptr(), segments.data(), table.nbytes());
        context->save_for_backward({q, k, v, cosines, sines, logsumexp, table});
        context->saved_data["heads"] = shape.heads;
        context->saved_data["key_value_heads"] = shape.key_value_heads;
        context->saved_data["head_size"] = shape.head_size;
        context->saved_data["window"] = shape.window;
        context->saved_data["scale"] = shape.scale;
        return out;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const auto &q = saved[0], &k = saved[1], &v = saved[2];
        const auto shape = CTAttentionShape{
            context->saved_data["heads"].toInt(), context->saved_data["key_value_heads"].toInt(),
            context->saved_data["head_size"].toInt(), context->saved_data["window"].toInt(),
            context->saved_data["scale"].toDouble()};
        std::vector<CTSegment> segments(saved[6].nbytes() / sizeof(CTSegment));
        memcpy(segments.data(), saved[6].data_ptr(), saved[6].nbytes());
        const auto out_gradient = gradients[0].contiguous();
        auto dq = at::empty_like(q);
        // Rows of a prefix gather gradients from every segment that continues it: sum before rounding.
        auto dk = at::zeros(k.sizes(), k.options().dtype(arithmetic_type(k)));
        auto dv = at::zeros_like(dk);
        const auto all = families(segments, k.size(0), q.size(0));
        dispatch(q, [&](auto *tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            auto pass = make_pass<T>(shape, q, k, v, saved[3], saved[4], at::Tensor(), saved[5]);
            pass.out_gradient = out_gradient.data_ptr<T>();
            pass.q_gradient = dq.data_ptr<T>();
            pass.k_gradient = dk.data_ptr<arithmetic<T>>();
            pass.v_gradient = dv.data_ptr<arithmetic<T>>();
            for_heads<arithmetic<T>>(all, shape, [&](const CTSegment &segment, int64_t head, auto &scratch) {
                backward_head(pass, segment, head, scratch);
            });
        });
        const auto type = k.scalar_type();
        return {dq, dk.to(type), dv.to(type), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

at::Tensor rotated(const at::Tensor &x, const at::Tensor &cosines, const at::Tensor &sines, int64_t size) {
    const auto c = cosines.unsqueeze(1), s = sines.unsqueeze(1);
    const auto heads = x.reshape({x.size(0), -1, size}).to(cosines.scalar_type());
    const auto first = heads.slice(2, 0, size / 2), second = heads.slice(2, size / 2);
    return at::cat({first * c - second * s, second * c + first * s}, 2);
}

/// The same from libtorch's own operations, segment by segment; any device.
at::Tensor composed_attention(
    const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const at::Tensor &cosines, const at::Tensor &sines,
    const CTAttentionShape &shape, const std::vector<CTSegment> &segments) {
    const int64_t size = shape.head_size, group = shape.heads / shape.key_value_heads;
    std::vector<int64_t> key_positions, query_positions;
    for (const auto &segment : segments) {
        for (int64_t i = 0; i < segment.length; ++i) {
            key_positions.push_back(segment.prefix_length + i);
            if (i >= segment.first_query) query_positions.push_back(segment.prefix_length + i);
        }
    }
    const auto rotated_at = [&](const at::Tensor &x, const std::vector<int64_t> &list) {
        const auto positions = copied(list.data(), static_cast<int64_t>(list.size()), x.device());
        return rotated(x, cosines.index_select(0, positions), sines.index_select(0, positions), size);
    };
    const auto queries = rotated_at(q, query_positions), keys = rotated_at(k, key_positions);
    const auto values = v.reshape({v.size(0), -1, size}).to(keys.scalar_type());
    std::vector<at::Tensor> outputs;
    for (const auto &segment : segments) {
        const auto visible = [&](const at::Tensor &rows) {
            const auto own = rows.narrow(0, segment.start, segment.length);
            const auto all = segment.prefix_length == 0
                ? own : at::cat({rows.narrow(0, segment.prefix_start, segment.prefix_length), own}, 0);
            return all.transpose(0, 1).repeat_interleave(group, 0); // [heads, keys, size]
        };
        const int64_t count = segment.length - segment.first_query;
        if (count == 0) continue;
        const auto query = queries.narrow(0, segment.query_start, count).transpose(0, 1);
        auto scores = at::matmul(query, visible(keys).transpose(1, 2)) * shape.scale;
        const auto at_query
            = (at::arange(count, q.device()) + segment.prefix_length + segment.first_query).unsqueeze(1);
        const auto at_key = at::arange(segment.prefix_length + segment.length, q.device()).unsqueeze(0);
        auto hidden = at_key > at_query;
        if (shape.window > 0) hidden = hidden.logical_or(at_key <= at_query - shape.window);
        scores = scores.masked_fill(hidden, -1e30);
        const auto out = at::matmul(at::softmax(scores, -1), visible(values));
        outputs.push_back(out.transpose(0, 1).reshape({count, -1}));
    }
    return at::cat(outputs, 0).to(q.scalar_type());
}

} // namespace

CTStatus ct_attention(
    const CTTensor *q, const CTTensor *k, const CTTensor *v, const CTTensor *cosines, const CTTensor *sines,
    CTAttentionShape shape, const CTSegment *segments, int64_t count, CTTensor **out) {
    return guarded([&] {
        check_attention(q->value, k->value, v->value, cosines->value, sines->value, shape);
        const std::vector<CTSegment> list(segments, segments + count);
        for (const auto &segment : list) {
            require(
                segment.prefix_length + segment.length <= cosines->value.size(0),
                "attention: a sequence is longer than the table of angles");
        }
        families(list, k->value.size(0), q->value.size(0));
        const bool direct = fused(q->value) && cosines->value.scalar_type() == arithmetic_type(q->value);
        *out = handle(
            direct ? Attention::apply(
                         q->value.contiguous(), k->value.contiguous(), v->value.contiguous(), cosines->value,
                         sines->value, shape, list)
                   : composed_attention(
                         q->value, k->value, v->value, cosines->value, sines->value, shape, list));
    });
}
