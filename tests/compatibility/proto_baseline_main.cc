#include <iostream>
#include <string>
#include <vector>

#include "tests/compatibility/proto_baseline.h"

// proto_baseline CURRENT BASELINE [--renew]: compares two descriptor sets and, with --renew, writes
// CURRENT over BASELINE when it is compatible or when there is no baseline yet.
// Exit code: 0 compatible, 1 incompatible or failed, 2 wrong usage.
int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool renew = arguments.size() == 3 && arguments[2] == "--renew";
  if (arguments.size() != 2 && !renew) {
    std::cerr << "usage: proto_baseline CURRENT BASELINE [--renew]\n";
    return 2;
  }
  const absl::Status status = rapport::CompareWithBaseline(arguments[0], arguments[1], renew);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
