#include "services/rapport/alert_line.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(50);
constexpr size_t kReadRecords = 1024;
constexpr size_t kReasonsInLine = 3;

}  // namespace

std::string FormatAlertLine(const AlertLine& line) {
  const size_t shown = std::min(line.reasons.size(), kReasonsInLine);
  const std::string why = absl::StrJoin(
      line.reasons.begin(), line.reasons.begin() + static_cast<std::ptrdiff_t>(shown), "; ");
  return Printable(absl::StrFormat("%s  %-9s  %-8s  %4d  %s  %s  %s", FormatMoment(line.at),
                                   line.change, SeverityWord(line.severity), line.score,
                                   line.client_id, line.owner_id, why)) +
         "\n";
}

AlertLine AlertLineOf(const alert::v1::AlertEvent& event) {
  AlertLine line;
  line.at = FromProto(event.at());
  line.change = event.has_raised()      ? "raised"
                : event.has_cleared()   ? "cleared"
                : event.has_escalated() ? "escalated"
                                        : "updated";
  line.client_id = event.client_id();
  line.owner_id = event.owner_id();
  line.severity = event.severity();
  line.score = event.score();
  for (const auto& reason : event.reasons()) {
    if (TellsWhy(reason.points(), event.has_cleared())) line.reasons.push_back(reason.text());
  }
  return line;
}

absl::StatusOr<std::unique_ptr<AlertPrinter>> AlertPrinter::Start(EventLog& log,
                                                                  const std::string& topic) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log.PartitionCount(topic));
  std::vector<std::unique_ptr<LogReader>> readers;
  for (int i = 0; i < partitions; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log.GetWatermarks(topic, Partition(i)));
    RAPPORT_ASSIGN_OR_RETURN(readers.emplace_back(),
                             log.OpenReader(topic, Partition(i), marks.end));
  }
  auto printer = std::unique_ptr<AlertPrinter>(new AlertPrinter(std::move(readers)));
  printer->thread_ = std::thread([raw = printer.get()] { raw->Run(); });
  return printer;
}

AlertPrinter::~AlertPrinter() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void AlertPrinter::Run() {
  while (!stopping_) {
    PrintNew();
    absl::SleepFor(kLookEvery);
  }
  PrintNew();
}

void AlertPrinter::PrintNew() {
  std::vector<AlertLine> lines;
  for (const std::unique_ptr<LogReader>& reader : readers_) {
    for (;;) {
      const auto records = reader->Read(kReadRecords, absl::ZeroDuration());
      if (!records.ok() || records->empty()) break;
      for (const RecordView& record : *records) {
        alert::v1::AlertEvent event;
        const int size = static_cast<int>(record.value.size());
        if (event.ParseFromArray(record.value.data(), size) && event.has_raised()) {
          lines.push_back(AlertLineOf(event));
        }
      }
    }
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const AlertLine& a, const AlertLine& b) { return a.at < b.at; });
  for (const AlertLine& line : lines) Print(FormatAlertLine(line));
}

}  // namespace rapport
