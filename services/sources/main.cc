#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/sources/sources.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(argc, argv,
                                 {.name = "sources",
                                  .what = "Call centers and mailboxes become touchpoints",
                                  .start = rapport::StartSources},
                                 rapport::StartPeople);
}
