#include "boundary.hpp"
#include "products.hpp"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#if __has_include(<torch/headeronly/version.h>)
#include <torch/headeronly/version.h>
#else
#include <torch/csrc/api/include/torch/version.h>
#endif

using namespace ctorch;

namespace ctorch {

std::string &last_error() {
    static thread_local std::string text;
    return text;
}

static thread_local bool composed = false;

bool composed_requested() { return composed; }

at::ScalarType scalar_type(CTType type) {
    switch (type) {
    case CT_FLOAT32: return at::kFloat;
    case CT_FLOAT64: return at::kDouble;
    case CT_BFLOAT16: return at::kBFloat16;
    case CT_FLOAT16: return at::kHalf;
    case CT_INT64: return at::kLong;
    case CT_INT32: return at::kInt;
    case CT_UINT8: return at::kByte;
    }
    throw std::invalid_argument("unknown element type");
}

CTType type_of(const at::Tensor &tensor) {
    switch (tensor.scalar_type()) {
    case at::kFloat: return CT_FLOAT32;
    case at::kDouble: return CT_FLOAT64;
    case at::kBFloat16: return CT_BFLOAT16;
    case at::kHalf: return CT_FLOAT16;
    case at::kLong: return CT_INT64;
    case at::kInt: return CT_INT32;
    case at::kByte: return CT_UINT8;
    default: throw std::invalid_argument("a tensor has an element type without a name here");
    }
}

static at::Device device_of(CTDevice device) { return device == CT_CUDA ? at::Device(at::kCUDA) : at::Device(at::kCPU); }

} // namespace ctorch

const char *ct_last_error(void) { return last_error().c_str(); }

CTStatus ct_initialize(int32_t threads) {
    return guarded([&] {
        require(threads >= 1, "at least one thread is needed");
#if defined(__GLIBC__)
        // Activations of one step are freed and asked for again in the next: keep the pages.
        mallopt(M_MMAP_THRESHOLD, 1 << 30);
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
        mallopt(M_TOP_PAD, 64 << 20);
#endif
        at::set_num_threads(threads);
    });
}

const char *ct_description(void) {
    static const std::string text = std::string(TORCH_VERSION) + ", " + products_description();
    return text.c_str();
}

bool ct_cuda_available(void) { return at::globalContext().hasCUDA(); }

bool ct_set_gradients_enabled(bool enabled) {
    const bool before = at::GradMode::is_enabled();
    at::GradMode::set_enabled(enabled);
    return before;
}

bool ct_set_composed(bool requested) {
    const bool before = composed;
    composed = requested;
    return before;
}

CTStatus ct_tensor_create(
    const void *data, CTType type, const int64_t *shape, int32_t rank, CTDevice device, CTTensor **out) {
    return guarded([&] {
        const auto options = at::TensorOptions().dtype(scalar_type(type));
        auto view = at::from_blob(const_cast<void *>(data), at::IntArrayRef(shape, rank), options);
        *out = handle(device == CT_CPU ? view.clone() : view.to(device_of(device)));
    });
}

CTStatus ct_tensor_zeros(CTType type, const int64_t *shape, int32_t rank, CTDevice device, CTTensor **out) {
    return guarded([&] {
        const auto options = at::TensorOptions().dtype(scalar_type(type)).device(device_of(device));
        *out = handle(at::zeros(at::IntArrayRef(shape, rank), options));
    });
}

void ct_tensor_free(CTTensor *tensor) { delete tensor; }

int32_t ct_tensor_rank(const CTTensor *tensor) { return static_cast<int32_t>(tensor->value.dim()); }

int64_t ct_tensor_length(const CTTensor *tensor, int32_t dimension) { return tensor->value.sizes()[dimension]; }

CTStatus ct_tensor_type(const CTTensor *tensor, CTType *type) {
    return guarded([&] { *type = type_of(tensor->value); });
}

CTStatus ct_tensor_read(const CTTensor *tensor, void *data, size_t byte_count) {
    return guarded([&] {
        const auto source = tensor->value.detach().to(at::kCPU).contiguous();
        require(source.nbytes() == byte_count, "the destination has another size than the tensor");
        if (byte_count > 0) memcpy(data, source.data_ptr(), byte_count);
    });
}

CTStatus ct_tensor_write(CTTensor *tensor, const void *data, size_t byte_count) {
    return guarded([&] {
        auto target = tensor->value.detach();
        require(target.nbytes() == byte_count, "the source has another size than the tensor");
        const auto options = at::TensorOptions().dtype(target.scalar_type());
        target.copy_(at::from_blob(const_cast<void *>(data), target.sizes(), options));
    });
}

CTStatus ct_tensor_convert(const CTTensor *tensor, CTType type, CTDevice device, CTTensor **out) {
    return guarded([&] { *out = handle(tensor->value.to(device_of(device), scalar_type(type))); });
}

CTStatus ct_tensor_add(const CTTensor *a, const CTTensor *b, CTTensor **out) {
    return guarded([&] { *out = handle(a->value + b->value); });
}

CTStatus ct_tensor_scale(const CTTensor *tensor, double factor, CTTensor **out) {
    return guarded([&] { *out = handle(tensor->value * factor); });
}

CTStatus ct_tensor_rows(const CTTensor *tensor, const int64_t *rows, int64_t count, CTTensor **out) {
    return guarded([&] {
        const auto index = copied(rows, count, tensor->value.device());
        *out = handle(tensor->value.index_select(0, index));
    });
}

CTStatus ct_tensor_set_requires_grad(CTTensor *tensor, bool requires_grad) {
    return guarded([&] { tensor->value.set_requires_grad(requires_grad); });
}

CTStatus ct_tensor_backward(const CTTensor *loss) {
    return guarded([&] { torch::autograd::backward({loss->value}, {}); });
}

CTStatus ct_tensor_backward_from(CTTensor *const *outputs, CTTensor *const *gradients, int32_t count) {
    return guarded([&] {
        torch::autograd::variable_list roots, from;
        for (int32_t i = 0; i < count; ++i) {
            if (!gradients[i] || !outputs[i]->value.requires_grad()) continue;
            roots.push_back(outputs[i]->value);
            from.push_back(gradients[i]->value);
        }
        if (!roots.empty()) torch::autograd::backward(roots, from);
    });
}

CTStatus ct_tensor_detach(const CTTensor *tensor, CTTensor **out) {
    return guarded([&] { *out = handle(tensor->value.detach()); });
}

CTStatus ct_tensor_gradient(const CTTensor *leaf, CTTensor **out) {
    return guarded([&] {
        const auto &gradient = leaf->value.grad();
        *out = gradient.defined() ? handle(gradient) : nullptr;
    });
}

void ct_tensor_clear_gradient(CTTensor *leaf) { leaf->value.mutable_grad() = at::Tensor(); }
