#include "libs/projections/kpi/contributions.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "libs/base/check.h"

namespace rapport {

void Contributions::Clear() {
  entries_.clear();
  sections_.clear();
  texts_.resize(1);
}

uint16_t Contributions::Text(absl::string_view text) {
  // There are few: owners, agents, queues, currencies of one client.
  for (size_t i = 0; i < texts_.size(); ++i) {
    if (texts_[i] == text) return static_cast<uint16_t>(i);
  }
  RAPPORT_CHECK(texts_.size() < std::numeric_limits<uint16_t>::max(), "texts of one client");
  texts_.emplace_back(text);
  return static_cast<uint16_t>(texts_.size() - 1);
}

void Contributions::VisitOne(const Entry& entry,
                             absl::FunctionRef<void(const Contribution&)> visit) const {
  std::string with_number;
  absl::string_view sub = texts_[entry.text];
  if (entry.number != kNoNumber) {
    with_number = SubOf(sub, entry.number);
    sub = with_number;
  }
  visit(
      {entry.measure, entry.scope, texts_[entry.who], entry.segment, sub, entry.day, entry.amount});
}

void Contributions::Visit(absl::FunctionRef<void(const Contribution&)> visit) const {
  for (const Entry& entry : entries_) VisitOne(entry, visit);
}

void Contributions::Difference(const Contributions& before, const Contributions& after,
                               absl::FunctionRef<void(const Contribution&)> visit) {
  // Texts have numbers in the order of their coming: where that differs, `before` is told in the
  // numbers of `after`.
  const bool more = before.texts_.size() <= after.texts_.size() &&
                    std::equal(before.texts_.begin(), before.texts_.end(), after.texts_.begin());
  if (!more) {
    Contributions texts;
    texts.texts_ = after.texts_;
    Contributions same;
    same.entries_ = before.entries_;
    same.sections_ = before.sections_;
    for (Entry& entry : same.entries_) {
      entry.text = texts.Text(before.texts_[entry.text]);
      entry.who = texts.Text(before.texts_[entry.who]);
    }
    same.texts_ = texts.texts_;
    Contributions extended = after;
    extended.texts_ = std::move(texts.texts_);
    return Difference(same, extended, visit);
  }
  std::vector<Entry> changed;
  size_t from = 0;   // of the section in `before`
  size_t begin = 0;  // and in `after`
  const size_t sections = std::max(before.sections_.size(), after.sections_.size());
  for (size_t section = 0; section < sections; ++section) {
    size_t to = section < before.sections_.size() ? before.sections_[section] : from;
    size_t end = section < after.sections_.size() ? after.sections_[section] : begin;
    const size_t next_from = to;
    const size_t next_begin = end;
    while (from < to && begin < end && before.entries_[from] == after.entries_[begin]) {
      ++from;
      ++begin;
    }
    while (from < to && begin < end && before.entries_[to - 1] == after.entries_[end - 1]) {
      --to;
      --end;
    }
    for (; from < to; ++from) {
      changed.push_back(before.entries_[from]);
      changed.back().amount = -changed.back().amount;
    }
    changed.insert(changed.end(), after.entries_.begin() + static_cast<std::ptrdiff_t>(begin),
                   after.entries_.begin() + static_cast<std::ptrdiff_t>(end));
    from = next_from;
    begin = next_begin;
  }
  const auto place = [](const Entry& e) {
    return std::tuple(e.measure, e.scope, e.segment, e.who, e.text, e.number, e.day);
  };
  std::sort(changed.begin(), changed.end(),
            [&](const Entry& a, const Entry& b) { return place(a) < place(b); });
  for (size_t i = 0; i < changed.size();) {
    Entry sum = changed[i];
    for (++i; i < changed.size() && place(changed[i]) == place(sum); ++i) {
      // As the stored sums do: beyond 64 bits it wraps, and comes back when it is taken back.
      sum.amount = static_cast<int64_t>(static_cast<uint64_t>(sum.amount) +
                                        static_cast<uint64_t>(changed[i].amount));
    }
    if (sum.amount != 0) after.VisitOne(sum, visit);
  }
}

}  // namespace rapport
