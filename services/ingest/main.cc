#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/ingest/ingest.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(argc, argv,
                                 {.name = "ingest",
                                  .what = "Takes touchpoints over HTTP (CloudEvents 1.0)",
                                  .start = rapport::StartIngest},
                                 rapport::StartPeople);
}
