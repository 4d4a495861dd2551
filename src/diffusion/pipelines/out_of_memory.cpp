// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/out_of_memory.h"

#include <c10/util/Exception.h>

#include <charconv>
#include <new>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

// "… you tried to allocate 1073741824 bytes …" of the CPU, "Tried to allocate 2.50 GiB …" of CUDA.
std::optional<double> wanted_mib(std::string_view message) {
  constexpr std::string_view kWords = "ried to allocate ";
  const std::size_t found = message.find(kWords);
  if (found == std::string_view::npos) return std::nullopt;
  message.remove_prefix(found + kWords.size());
  double number = 0;
  const auto [end, error] =
      std::from_chars(message.data(), message.data() + message.size(), number);
  if (error != std::errc()) return std::nullopt;
  message.remove_prefix(static_cast<std::size_t>(end - message.data()));
  if (message.starts_with(" GiB")) return number * 1024;
  if (message.starts_with(" MiB")) return number;
  if (message.starts_with(" KiB")) return number / 1024;
  return number / (1 << 20);
}

[[noreturn]] void refuse(const std::string& what, std::optional<double> mib,
                         const std::string& remedy) {
  const std::string need =
      mib ? concat(static_cast<std::int64_t>(*mib) + 1, " MiB more were needed")
          : std::string("more was needed than there is");
  fail(Cause::Unavailable, what, ": out of memory: ", need, "; ", remedy);
}

// oneDNN has one message for everything that it cannot set up.
bool tells_of_memory(std::string_view message) {
  return message.find("can't allocate memory") != std::string_view::npos ||
         message.find("out of memory") != std::string_view::npos ||
         message.find("could not create a memory") != std::string_view::npos ||
         message.find("Cannot allocate memory") != std::string_view::npos;
}

}  // namespace

void rethrow_out_of_memory(const std::string& what, const std::string& remedy) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    refuse(what, std::nullopt, remedy);
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    if (dynamic_cast<const c10::OutOfMemoryError*>(&error) == nullptr &&
        !tells_of_memory(message)) {
      throw;
    }
    refuse(what, wanted_mib(message), remedy);
  } catch (const std::exception& error) {
    if (!tells_of_memory(error.what())) throw;
    refuse(what, wanted_mib(error.what()), remedy);
  }
}

}  // namespace affiche::diffusion
