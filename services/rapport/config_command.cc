#include "libs/service/config.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {

void AddConfigCommand(CLI::App& app, int* exit_code) {
  AddCommand(app, exit_code, "config",
             "Print all settings with what they mean: a configuration file that changes nothing",
             "rapport config > rapport.textproto", []() -> CommandResult {
               Print(DescribeSettings());
               return kExitOk;
             });
}

}  // namespace rapport
