#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "libs/projections/kpi/measures.h"

namespace rapport {

// All that one state contributes, in a form that is quick to make and to compare: it is made twice
// for each change of a state. Entries stand in sections, as many for every state, in an order that
// follows from the state alone. What changes together stands together or in a section of its own,
// since two lists are compared section by section from both ends.
class Contributions {
 public:
  // What a sum is told by beside measure and owner: a text, and a number behind it (SubOf).
  struct Sub {
    uint16_t text = 0;  // as Text returned it
    int32_t number = kNoNumber;
  };
  static constexpr int32_t kNoNumber = std::numeric_limits<int32_t>::min();

  void Clear();
  // The number of a text in this list; 0 is the empty one.
  uint16_t Text(absl::string_view text);
  const std::string& text(uint16_t number) const { return texts_[number]; }

  // An amount of 0 is left out. `who` as Text returned it.
  void Add(Measure measure, TallyScope scope, uint16_t who, uint8_t segment, Sub sub, int32_t day,
           int64_t amount) {
    if (amount == 0) return;
    entries_.push_back({amount, day, sub.number, sub.text, who, measure, scope, segment});
  }
  // What is added next stands in another section.
  void EndSection() { sections_.push_back(entries_.size()); }

  void Visit(absl::FunctionRef<void(const Contribution&)> visit) const;
  // Calls `visit` with what `after` has more, and less, than `before`; each sum and day once.
  static void Difference(const Contributions& before, const Contributions& after,
                         absl::FunctionRef<void(const Contribution&)> visit);

 private:
  struct Entry {
    int64_t amount;
    int32_t day;
    int32_t number;
    uint16_t text;
    uint16_t who;
    Measure measure;
    TallyScope scope;
    uint8_t segment;

    bool operator==(const Entry&) const = default;
  };

  void VisitOne(const Entry& entry, absl::FunctionRef<void(const Contribution&)> visit) const;

  std::vector<Entry> entries_;
  std::vector<size_t> sections_;  // where each ends
  std::vector<std::string> texts_ = {""};
};

}  // namespace rapport
