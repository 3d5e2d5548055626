#pragma once

#include <cstdint>

namespace rapport {

// Raises how many file descriptors the process may have to what the system lets it, and returns
// that. A shell's usual limit of 1,024 is for programs that use select().
int64_t RaiseFileLimit();

// Of `limit` file descriptors those that connections from outside may take: half of them, or all
// but 4,096 where that is more. The log and the states open files as they go on, and one that
// cannot be opened stops them.
int64_t FilesForConnections(int64_t limit);

}  // namespace rapport
