/// The one place where C++ exceptions become status codes.
#pragma once

#include "CTorch.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <new>
#include <stdexcept>
#include <string>

#if __cplusplus >= 202002L
#include <optional>
#endif

struct CTTensor {
    at::Tensor value;
};

namespace ctorch {

/// The optional libtorch's autograd functions recognise: its own up to 1.13, the standard one since.
#if __cplusplus >= 202002L
using OptionalTensor = std::optional<at::Tensor>;
#else
using OptionalTensor = c10::optional<at::Tensor>;
#endif

/// Text of the last failure on this thread.
std::string &last_error();

/// Whether fused operations should run in their composed form.
bool composed_requested();

/// Runs `body`; every exception ends here.
template <class Body> CTStatus guarded(Body &&body) noexcept {
    try {
        body();
        return CT_OK;
    } catch (const c10::Error &error) {
        last_error() = error.what_without_backtrace();
    } catch (const std::bad_alloc &) {
        last_error() = "out of memory";
        return CT_OUT_OF_MEMORY;
    } catch (const std::exception &error) {
        last_error() = error.what();
    } catch (...) {
        last_error() = "an exception of unknown type";
    }
    const auto &text = last_error();
    const bool memory = text.find("out of memory") != std::string::npos
        || text.find("not enough memory") != std::string::npos || text.find("can't allocate") != std::string::npos;
    return memory ? CT_OUT_OF_MEMORY : CT_INVALID;
}

/// A new handle; the caller owns it.
inline CTTensor *handle(at::Tensor value) { return new CTTensor{std::move(value)}; }

/// The tensor behind a handle, an undefined one for NULL.
inline at::Tensor optional(const CTTensor *tensor) { return tensor ? tensor->value : at::Tensor(); }

/// Throws unless `condition` holds.
inline void require(bool condition, const char *message) {
    if (!condition) throw std::invalid_argument(message);
}

at::ScalarType scalar_type(CTType type);
CTType type_of(const at::Tensor &tensor);

/// A vector of host values as a tensor of its own on `device`: autograd may keep it beyond the call.
template <class T> at::Tensor copied(const T *values, int64_t count, at::Device device) {
    const auto type = c10::CppTypeToScalarType<T>::value;
    return at::from_blob(const_cast<T *>(values), {count}, type).to(device, type, false, true);
}

/// Whether the fused CPU form of an operation applies.
inline bool fused(const at::Tensor &tensor) { return tensor.is_cpu() && !composed_requested(); }

} // namespace ctorch
