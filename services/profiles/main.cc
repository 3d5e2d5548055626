#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/profiles/profiles.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(argc, argv,
                                 {.name = "profiles",
                                  .what = "Answers who the clients are and what happened with them",
                                  .start = rapport::StartProfiles},
                                 rapport::StartPeople);
}
