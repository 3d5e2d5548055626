#include "libs/base/fatal.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

namespace rapport {
namespace {

constexpr int kExitEnvironment = 3;

// Nothing here may need memory.
void Write(const char* text) {
  const ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(written);
}

void EndWithoutMemory() {
  Write(
      "rapport: there is no memory left, so it ends; nothing that was acknowledged is lost. Raise "
      "the limit (ulimit -v, or that of the service or container), or lower memory_mib\n");
  ::_exit(kExitEnvironment);
}

void EndWithException() {
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    EndWithoutMemory();
  } catch (const std::system_error& error) {
    // Such as a thread for which there is no memory, or no right.
    Write("rapport: the system gives it too little, so it ends: ");
    Write(error.what());
    Write("; raise its limits (ulimit -a, or those of the service or container)\n");
    ::_exit(kExitEnvironment);
  } catch (const std::exception& error) {
    Write("rapport: it cannot go on: ");
    Write(error.what());
    Write("\n");
  } catch (...) {
    Write("rapport: it cannot go on\n");
  }
  std::abort();
}

}  // namespace

void TellFatalErrors() {
  std::set_new_handler(EndWithoutMemory);
  std::set_terminate(EndWithException);
}

}  // namespace rapport
