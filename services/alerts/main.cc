#include "libs/people/people.h"
#include "libs/service/service.h"
#include "services/alerts/alerts.h"

int main(int argc, char** argv) {
  return rapport::RunServiceMain(
      argc, argv,
      {.name = "alerts",
       .what = "Alerts for people and programs: lists, a live stream, web hooks, actions",
       .start = rapport::StartAlerts},
      rapport::StartPeople);
}
