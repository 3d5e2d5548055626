#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/gateway/gateway.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(
      argc, argv,
      {.name = "gateway",
       .what = "One address for all reads: asks the owners of the partitions and merges",
       .start = rapport::StartGateway},
      rapport::StartPeopleAtTheDoor);
}
