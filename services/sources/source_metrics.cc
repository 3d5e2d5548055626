#include "services/sources/source_metrics.h"

#include "absl/strings/ascii.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"

namespace rapport {
namespace {

using query::v1::SourceLedger;

}  // namespace

SourceMetrics::SourceMetrics(Metrics* metrics)
    : refused_(
          prometheus::BuildCounter()
              .Name("rapport_source_requests_refused_total")
              .Help("Requests to web hooks that were answered with an error, by source and why")
              .Register(metrics->registry())),
      items_(prometheus::BuildGauge()
                 .Name("rapport_source_items")
                 .Help("What the ledger of a source counts, by state")
                 .Register(metrics->registry())),
      gaps_(prometheus::BuildGauge()
                .Name("rapport_source_gaps")
                .Help("Things that must be missing, by source")
                .Register(metrics->registry())),
      lag_(prometheus::BuildGauge()
               .Name("rapport_source_lag_bytes")
               .Help("Bytes of a source that are there and not read yet")
               .Register(metrics->registry())),
      last_(prometheus::BuildGauge()
                .Name("rapport_source_last_received_timestamp_seconds")
                .Help("When something was received from a source last")
                .Register(metrics->registry())),
      well_(prometheus::BuildGauge()
                .Name("rapport_source_well")
                .Help("1 while a source can be read and is not quiet against its rhythm, else 0")
                .Register(metrics->registry())) {}

void SourceMetrics::Refused(const std::string& source, const absl::Status& why) {
  refused_
      .Add({{"source", source},
            {"why", absl::AsciiStrToLower(absl::StatusCodeToString(why.code()))}})
      .Increment();
}

void SourceMetrics::Show(const query::v1::SourceList& ledger) {
  for (const SourceLedger& source : ledger.sources()) {
    const auto set = [&](const char* state, int64_t count) {
      items_.Add({{"source", source.name()}, {"state", state}}).Set(static_cast<double>(count));
    };
    set("received", source.received());
    set("duplicate", source.duplicates());
    set("written", source.written());
    set("pending", source.pending());
    set("skipped", source.skipped());
    set("rejected", source.rejected());
    set("incomplete", source.incomplete());
    set("late", source.late());
    gaps_.Add({{"source", source.name()}}).Set(source.gaps_size());
    lag_.Add({{"source", source.name()}}).Set(static_cast<double>(source.lag_bytes()));
    last_.Add({{"source", source.name()}})
        .Set(static_cast<double>(source.last_received_at().seconds()));
    well_.Add({{"source", source.name()}})
        .Set(source.state() == query::v1::SOURCE_STATE_OK ||
                     source.state() == query::v1::SOURCE_STATE_SILENT
                 ? 1
                 : 0);
  }
}

}  // namespace rapport
