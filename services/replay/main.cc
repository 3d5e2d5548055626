#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/replay/replay.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(argc, argv,
                                 {.name = "replay",
                                  .what = "What was refused, and a second try for it",
                                  .start = rapport::StartReplay},
                                 rapport::StartPeople);
}
