#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "libs/phrases/phrases.h"
#include "rapport/alert/v1/alert.pb.h"

namespace rapport {

// One reason of an alert or of a risk, as readers get it.
struct ReasonToTell {
  std::string code;
  std::string text;  // the English sentence
  int32_t points = 0;
  alert::v1::ReasonFacts facts;
};

// The sentence of a reason, the same as the console's (services/console/src/lib/reasons.ts); it
// tells ages as of `now`. A code that has no text has the English sentence.
std::string ReasonPhrase(const Phrases& phrases, const ReasonToTell& reason, absl::Time now);

}  // namespace rapport
