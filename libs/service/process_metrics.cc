#include "libs/service/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace rapport {
namespace {

prometheus::Gauge& MakeGauge(Metrics* metrics, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(metrics->registry()).Add({});
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessMetrics::ProcessMetrics(Metrics* metrics)
    : resident_bytes_(
          MakeGauge(metrics, "process_resident_memory_bytes", "Memory that is resident")),
      cpu_seconds_(MakeGauge(metrics, "process_cpu_seconds_total", "Processor time used")),
      open_files_(MakeGauge(metrics, "process_open_fds", "File descriptors that are open")) {}

void ProcessMetrics::Refresh() {
  int64_t total_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  resident_bytes_.Set(static_cast<double>(resident_pages * ::sysconf(_SC_PAGESIZE)));
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  cpu_seconds_.Set(Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (!error) {
    open_files_.Set(static_cast<double>(std::distance(begin(files), end(files))));
  }
}

}  // namespace rapport
