#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "rapport/alert/v1/alert.pb.h"

namespace rapport {

// One step of an alert, as it is told while alerts come.
struct AlertLine {
  absl::Time at;
  std::string change;  // "raised", "updated", "cleared"
  std::string client_id;
  std::string owner_id;
  alert::v1::Severity severity = alert::v1::SEVERITY_UNSPECIFIED;
  int32_t score = 0;
  std::vector<std::string> reasons;  // the heaviest first
};

// "2026-03-09 18:30  raised   high      812  18073  anna.keller  no order since 2026-02-07; ...".
std::string FormatAlertLine(const AlertLine& line);

AlertLine AlertLineOf(const alert::v1::AlertEvent& event);

// Whether a reason of that many points belongs into the line: why an alert is raised is not told by
// what speaks against it, which may be why it is cleared.
inline bool TellsWhy(int points, bool cleared) { return points > 0 || cleared; }

// Prints the alerts that are raised from now on until it is destroyed, as they come into the alerts
// log of this process.
class AlertPrinter {
 public:
  static absl::StatusOr<std::unique_ptr<AlertPrinter>> Start(EventLog& log,
                                                             const std::string& topic);
  // Prints what is in the log until now.
  ~AlertPrinter();
  AlertPrinter(const AlertPrinter&) = delete;
  AlertPrinter& operator=(const AlertPrinter&) = delete;

 private:
  explicit AlertPrinter(std::vector<std::unique_ptr<LogReader>> readers)
      : readers_(std::move(readers)) {}
  void Run();
  void PrintNew();

  const std::vector<std::unique_ptr<LogReader>> readers_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace rapport
