#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/fold_engine.h"
#include "libs/projector/partition_worker.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/samples.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// What tests of the projector share: a folder that goes away, touchpoints, and one projection's
// environment over a log.

namespace rapport::testing {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rapport_XXXXXX").string();
    RAPPORT_CHECK(::mkdtemp(pattern.data()) != nullptr, pattern);
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

inline absl::Time Day(int day) {
  return absl::FromUnixSeconds(1'700'000'000) + absl::Hours(24 * day);
}

// The sample of a kind, as of `client`, identified by `id`, at `at`.
inline touchpoint::v1::Touchpoint MakeTouchpoint(touchpoint::v1::Touchpoint::PayloadCase kind,
                                                 absl::string_view client, absl::string_view id,
                                                 absl::Time at) {
  touchpoint::v1::Touchpoint touchpoint = SampleTouchpoint(kind);
  touchpoint.set_client_id(std::string(client));
  touchpoint.set_source("test");
  touchpoint.set_source_event_id(std::string(id));
  touchpoint.set_event_id(std::string(MakeEventId("test", id).view()));
  ToProto(at, touchpoint.mutable_occurred_at());
  ToProto(at, touchpoint.mutable_recorded_at());
  return touchpoint;
}

// One projection over a log, with stores on disk or in memory.
template <Projection P>
class ProjectionFixture {
 public:
  explicit ProjectionFixture(EventLog* log, bool in_memory = false,
                             typename P::Settings settings = {},
                             size_t cache_bytes = size_t{64} << 20)
      : resources_({.memory_bytes = size_t{32} << 20, .in_memory = in_memory}),
        budget_(cache_bytes),
        spec_(std::move(settings)),
        env_{.log = log, .spec = &spec_, .resources = &resources_, .budget = &budget_} {}

  const ProjectionEnv& env() const { return env_; }
  CacheBudget& budget() { return budget_; }

 private:
  StoreResources resources_;
  CacheBudget budget_;
  SpecOf<P> spec_;
  ProjectionEnv env_;
};

}  // namespace rapport::testing
