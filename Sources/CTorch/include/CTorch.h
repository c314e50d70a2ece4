/// The C interface of the tensor library: what a student needs of libtorch, and nothing else.
///
/// Conventions, valid for every function that returns CTStatus:
/// - Nothing throws. A status other than CT_OK means nothing was produced; `ct_last_error` says why, for this thread.
/// - `CTTensor **out` receives a new handle that the caller owns and frees with `ct_tensor_free`. Handles passed in
///   stay the caller's. Handles may share storage and the autograd graph, which libtorch counts by itself.
/// - Matrices are row-major. Types: float32 unless said otherwise; float64 works wherever float32 does.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CTTensor CTTensor;

typedef enum CTStatus {
    CT_OK = 0,
    CT_INVALID = 1,
    CT_OUT_OF_MEMORY = 2,
} CTStatus;

typedef enum CTType {
    CT_FLOAT32 = 0,
    CT_FLOAT64 = 1,
    CT_BFLOAT16 = 2,
    CT_FLOAT16 = 3,
    CT_INT64 = 4,
    CT_INT32 = 5,
    CT_UINT8 = 6,
} CTType;

typedef enum CTDevice {
    CT_CPU = 0,
    CT_CUDA = 1,
} CTDevice;

// Process

/// Why the last failing call of this thread failed. Valid until the next call on this thread; never NULL.
const char *ct_last_error(void);

/// Prepares the process: threads of tensor operations, memory that is kept rather than given back to the system.
CTStatus ct_initialize(int32_t threads);

/// Version of libtorch and where its matrix products run, such as "1.13.1, oneDNN". Static storage.
const char *ct_description(void);

/// Whether a CUDA device can be used.
bool ct_cuda_available(void);

/// Whether operations on this thread record what backward needs; returns the state before.
bool ct_set_gradients_enabled(bool enabled);

/// Runs the composed, differentiable-by-libtorch form of every fused operation, on any device; returns the state
/// before. For tests: fused and composed forms must agree.
bool ct_set_composed(bool composed);

// Tensors

/// Copies `data` (contiguous, in host memory) into a new tensor.
CTStatus ct_tensor_create(
    const void *data, CTType type, const int64_t *shape, int32_t rank, CTDevice device, CTTensor **out);
CTStatus ct_tensor_zeros(CTType type, const int64_t *shape, int32_t rank, CTDevice device, CTTensor **out);
/// Frees a handle; NULL is allowed.
void ct_tensor_free(CTTensor *tensor);
int32_t ct_tensor_rank(const CTTensor *tensor);
int64_t ct_tensor_length(const CTTensor *tensor, int32_t dimension);
CTStatus ct_tensor_type(const CTTensor *tensor, CTType *type);
/// Copies all elements, row-major, to host memory of exactly `byte_count` bytes.
CTStatus ct_tensor_read(const CTTensor *tensor, void *data, size_t byte_count);
/// Replaces all elements from host memory of exactly `byte_count` bytes, without recording it.
CTStatus ct_tensor_write(CTTensor *tensor, const void *data, size_t byte_count);
CTStatus ct_tensor_convert(const CTTensor *tensor, CTType type, CTDevice device, CTTensor **out);
CTStatus ct_tensor_add(const CTTensor *a, const CTTensor *b, CTTensor **out);
CTStatus ct_tensor_scale(const CTTensor *tensor, double factor, CTTensor **out);
/// Rows of a matrix, by index.
CTStatus ct_tensor_rows(const CTTensor *tensor, const int64_t *rows, int64_t count, CTTensor **out);

// Gradients

CTStatus ct_tensor_set_requires_grad(CTTensor *tensor, bool requires_grad);
/// Adds d(loss)/d(leaf) to every leaf's gradient. `loss` is a scalar.
CTStatus ct_tensor_backward(const CTTensor *loss);
/// The same for several outputs whose gradients are known; NULL gradients are zero.
CTStatus ct_tensor_backward_from(CTTensor *const *outputs, CTTensor *const *gradients, int32_t count);
/// The same values, sharing storage, without what they were computed from.
CTStatus ct_tensor_detach(const CTTensor *tensor, CTTensor **out);
/// The gradient, or NULL in `out` when there is none. It shares storage with the leaf's.
CTStatus ct_tensor_gradient(const CTTensor *leaf, CTTensor **out);
void ct_tensor_clear_gradient(CTTensor *leaf);
/// The Euclidean norm over the gradients of all tensors, summed in double in the order given.
CTStatus ct_gradient_norm(CTTensor *const *leaves, int32_t count, double *norm);

/// One AdamW step in place, as torch.optim.AdamW computes it: gradients are multiplied by `gradient_scale` first;
/// leaves without a gradient are left alone. `first`, `second`: the moments, like their leaf.
CTStatus ct_adamw_step(
    CTTensor *const *leaves, CTTensor *const *first, CTTensor *const *second, int32_t count, double gradient_scale,
    double learning_rate, double beta1, double beta2, double epsilon, double weight_decay, int64_t step);

// Layers. `T` rows are the tokens of several sequences end to end, without padding.

/// out [T, H] = table [V, H] at `tokens` [T], in float32 (float64 for a float64 table).
CTStatus ct_embedding(const CTTensor *table, const int64_t *tokens, int64_t count, CTTensor **out);

/// `sum` [T, H] = x + delta (delta may be NULL), and `normed` [T, H] = sum / sqrt(mean(sum²) + epsilon) * weight [H]
/// in `type`. x and weight are float32 or float64, delta may be bfloat16.
CTStatus ct_add_rms_norm(
    const CTTensor *x, const CTTensor *delta, const CTTensor *weight, double epsilon, CTType type, CTTensor **sum,
    CTTensor **normed);

/// RMS norm of each head of x [T, heads * D] by weight [D].
CTStatus ct_head_rms_norm(
    const CTTensor *x, const CTTensor *weight, double epsilon, CTTensor **out);

/// outs[i] [T, N_i] = x [T, K] · weights[i] [N_i, K]ᵀ + biases[i] [N_i] (entries of biases, or biases itself, may be
/// NULL). Computed in x's type; weights are rounded to it, sums are float32.
CTStatus ct_linear(
    const CTTensor *x, CTTensor *const *weights, CTTensor *const *biases, int32_t count, CTTensor **outs);

/// A low-rank update of one linear map: y += scale * drop(x) · aᵀ · bᵀ.
typedef struct CTLowRank {
    /// a [R, K] and b [N, R]; both NULL where there is no update.
    const CTTensor *a;
    const CTTensor *b;
    double scale;
    /// The share of x's elements that are zeroed; the others are divided by 1 - dropout. 0 for none, below 1.
    double dropout;
    /// Which elements, together with their place in x: equal keys drop equal elements.
    uint64_t key;
} CTLowRank;

/// ct_linear with a low-rank update for each weight.
CTStatus ct_low_rank_linear(
    const CTTensor *x, CTTensor *const *weights, CTTensor *const *biases, const CTLowRank *updates, int32_t count,
    CTTensor **outs);

/// out [N, K] = weight + scale * b [N, R] · a [R, K] in weight's type; sums are float32, or float64 for a float64
/// weight. Records no gradient.
CTStatus ct_merge_low_rank(
    const CTTensor *weight, const CTTensor *a, const CTTensor *b, double scale, CTTensor **out);

/// silu(gate) * up, elementwise.
CTStatus ct_swiglu(const CTTensor *gate, const CTTensor *up, CTTensor **out);

/// One sequence among the rows, or a continuation of one: its queries see `prefix_length` rows from `prefix_start`,
/// then its own rows up to themselves. Its first row stands at position `prefix_length`.
typedef struct CTSegment {
    int64_t prefix_start;
    int64_t prefix_length;
    int64_t start;
    int64_t length;
    /// Own rows before this one have keys but no queries; and where among the rows of q the first query lies.
    int64_t first_query;
    int64_t query_start;
} CTSegment;

/// What attention needs to know beside its inputs.
typedef struct CTAttentionShape {
    int64_t heads;
    int64_t key_value_heads;
    int64_t head_size;
    /// A query at position q sees keys at positions above q - window; 0 for all.
    int64_t window;
    double scale;
} CTAttentionShape;

/// Causal grouped-query attention with rotary embeddings of q [Q, heads * D], k and v [T, key_value_heads * D].
/// cosines, sines [positions, D / 2]: of the angle of each position and frequency. out [Q, heads * D]. Segments cover
/// the rows of k and their queries those of q, in order; Q is T where every row has a query. A segment with a prefix
/// comes after the segment without one that the prefix begins.
CTStatus ct_attention(
    const CTTensor *q, const CTTensor *k, const CTTensor *v, const CTTensor *cosines, const CTTensor *sines,
    CTAttentionShape shape, const CTSegment *segments, int64_t count, CTTensor **out);

/// New rows of one slot of a key-value cache.
typedef struct CTCacheSpan {
    int64_t slot;
    /// Rows the cache holds for the slot already: the position of the first new row.
    int64_t past;
    /// The new rows: where they begin among the inputs' rows, and how many there are.
    int64_t start;
    int64_t length;
} CTCacheSpan;

/// As ct_attention, for generation: new keys (rotated) and values go into keys, values [slots, key_value_heads,
/// positions, D] (float32), and each new row sees all of its slot up to itself. Records no gradient.
CTStatus ct_cached_attention(
    const CTTensor *q, const CTTensor *k, const CTTensor *v, const CTTensor *cosines, const CTTensor *sines,
    CTAttentionShape shape, CTTensor *keys, CTTensor *values, const CTCacheSpan *spans, int64_t count,
    CTTensor **out);

/// Copies the first `length` positions of one slot of a key-value cache to another slot.
CTStatus ct_copy_cache(CTTensor *keys, CTTensor *values, int64_t from, int64_t to, int64_t length);

/// logits = hidden [T, H] at `rows` [count] · weight [V, H]ᵀ; nll_i = logsumexp(logits_i) - logits_i[targets_i];
/// `loss` = Σ weights_i · nll_i, a scalar. An entry whose nll is above its ceiling counts with weight 0 (ceilings may
/// be NULL). nll, correct [count] on the host: the values, and 1 where the target is the most likely token; both may
/// be NULL. Logits exist for a few rows at a time only.
CTStatus ct_token_loss(
    const CTTensor *hidden, const CTTensor *weight, const int64_t *rows, const int64_t *targets,
    const double *weights, const double *ceilings, int64_t count, double *nll, uint8_t *correct, CTTensor **loss);

/// The index of the largest entry of each row of x [T, H] · weight [V, H]ᵀ, the lowest where several are equal.
CTStatus ct_most_likely(const CTTensor *hidden, const CTTensor *weight, int64_t *tokens);

/// How the token of one row is chosen.
typedef struct CTSampling {
    /// Logits are divided by this; 0 takes the most likely token.
    double temperature;
    /// Only that many of the most likely tokens; 0 for all.
    int64_t top_k;
    /// Of those, only the fewest most likely that together have this probability; 1 for all.
    double top_p;
    /// The draw, uniform in [0, 1).
    double uniform;
} CTSampling;

/// A token for each row of x [T, H] · weight [V, H]ᵀ, drawn as `sampling` [T] says. A row's token depends on its own
/// logits and draw only. Of equal logits the lower index counts as more likely.
CTStatus ct_sample(const CTTensor *hidden, const CTTensor *weight, const CTSampling *sampling, int64_t *tokens);

#ifdef __cplusplus
}
#endif
