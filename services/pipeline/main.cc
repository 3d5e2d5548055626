#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/pipeline/pipeline.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(argc, argv,
                                 {.name = "pipeline",
                                  .what = "Tells where every deal stands",
                                  .start = rapport::StartPipeline},
                                 rapport::StartPeople);
}
