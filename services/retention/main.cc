#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/retention/retention.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(argc, argv,
                                 {.name = "retention",
                                  .what = "Tells which clients are about to leave, and why",
                                  .start = rapport::StartRetention},
                                 rapport::StartPeople);
}
