#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"

namespace rapport {

// The Rapport that runs; or where none does, people and access alone over the embedded log of the
// data folder, for as long as the command takes: the first account is made before anything runs.
class PeopleApi {
 public:
  static absl::StatusOr<std::unique_ptr<PeopleApi>> Find(const CommonOptions& common);
  ~PeopleApi();

  Api& api() { return *api_; }
  // Whether nothing else runs, so that its address means nothing to others.
  bool own() const { return own_ != nullptr; }

 private:
  class Own;

  PeopleApi();

  std::unique_ptr<Own> own_;  // null: another process's
  std::unique_ptr<Api> api_;
};

}  // namespace rapport
