#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/kpi/kpi.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(
      argc, argv, {.name = "kpi", .what = "Tells plan and fact", .start = rapport::StartKpi},
      rapport::StartPeople);
}
