#include "libs/console/console_archive.h"

#ifdef RAPPORT_CONSOLE_ARCHIVE

// As a string literal it would be a source of four times its size; the assembler just copies.
asm(".section .rodata\n"
    ".balign 8\n"
    ".global rapport_console_begin\n"
    ".global rapport_console_end\n"
    "rapport_console_begin:\n"
    ".incbin \"" RAPPORT_CONSOLE_ARCHIVE
    "\"\n"
    "rapport_console_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char rapport_console_begin[];
extern const char rapport_console_end[];
}

namespace rapport {

absl::string_view BuiltInConsole() {
  return {rapport_console_begin, static_cast<size_t>(rapport_console_end - rapport_console_begin)};
}

}  // namespace rapport

#else

namespace rapport {

absl::string_view BuiltInConsole() { return {}; }

}  // namespace rapport

#endif
