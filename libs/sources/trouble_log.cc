#include "libs/sources/trouble_log.h"

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"

namespace rapport {

void LogChange(const std::string& source, const absl::Status& before, const absl::Status& now) {
  if (now == before) return;
  if (now.ok()) {
    Log(LogLevel::kInfo, absl::StrCat(source, ": is read again"));
  } else {
    Log(LogLevel::kWarning,
        absl::StrCat(source, ": ", now.message(), " (it is tried again every second)"));
  }
}

}  // namespace rapport
