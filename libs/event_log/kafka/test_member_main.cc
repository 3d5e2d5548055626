// A group member in a process of its own, for tests to kill: test_member SERVERS TOPIC GROUP
// MEMBER. Its first line is its process id, then one line "+P" per partition assigned and "-P" per
// one revoked. It ends with its parent.

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>

#include "libs/event_log/kafka/test_broker.h"

namespace rapport {
namespace {

void Print(char what, int number) {
  printf("%c%d\n", what, number);
  fflush(stdout);
}

class Printer : public PartitionListener {
  absl::StatusOr<Offset> OnAssigned(Partition partition) override {
    Print('+', partition.value());
    return Offset(0);
  }
  void OnRevoked(Partition partition, bool) override { Print('-', partition.value()); }
};

int Run(const std::string& servers, const std::string& topic, const std::string& group,
        const std::string& member) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Print('p', getpid());
  Printer printer;
  const auto log = Connect(TestOptions(servers));
  if (log == nullptr) return 1;
  const auto joined = log->Subscribe(topic, {.group = group, .member = member}, &printer);
  if (!joined.ok()) return 1;
  while ((*joined)->Poll(100, absl::Milliseconds(100)).ok()) {
  }
  return 1;
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  return argc == 5 ? rapport::Run(argv[1], argv[2], argv[3], argv[4]) : 2;
}
