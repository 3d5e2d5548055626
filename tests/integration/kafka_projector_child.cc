// The process that kafka_projector_test kills: runs the projections over Kafka, and tells with a
// byte each time that they have caught up.
//   kafka_projector_child SERVERS PREFIX DATA

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libs/base/check.h"
#include "tests/integration/kafka_host.h"

int main(int argc, char** argv) {
  RAPPORT_CHECK(argc == 4, "usage: kafka_projector_child SERVERS PREFIX DATA");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto log = rapport::testing::ConnectToKafka(argv[1], argv[2]);
  RAPPORT_CHECK(log.ok(), log.status().ToString());
  const auto host = rapport::testing::KafkaHost::Start(log->get(), argv[3]);
  RAPPORT_CHECK(host.ok(), host.status().ToString());
  for (;;) {
    // While a broker is away the projections stand still and try again.
    if ((*host)->CatchUp().ok()) RAPPORT_CHECK(::write(STDOUT_FILENO, ".", 1) == 1);
  }
}
