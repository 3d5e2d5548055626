#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/projections/testing/random_history.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport::testing {

// Somebody who merges clients, splits them again, and has histories told anew; and who dies in the
// middle of it now and then, and does the same once more later.
class Retellings {
 public:
  // What has been written of clients.
  void Arrived(const touchpoint::v1::Touchpoint& touchpoint);

  // What is to be written next; nothing when there is nobody to tell of.
  std::vector<touchpoint::v1::Touchpoint> Next(absl::Time now, Random* random);

 private:
  struct Standing {
    std::string id;
    std::string absorbed;
    std::string survivor;
  };
  using Touchpoints = std::vector<touchpoint::v1::Touchpoint>;

  Touchpoints Tell(absl::Time now, Random* random);
  Touchpoints MergeTwo(const std::string& absorbed, const std::string& survivor, absl::Time now);
  Touchpoints SplitOne(size_t index, absl::Time now);
  bool IsAbsorbed(const std::string& client) const;

  std::map<std::string, Touchpoints> histories_;
  std::vector<Standing> merges_;
  Touchpoints unfinished_;
  int number_ = 0;
};

}  // namespace rapport::testing
