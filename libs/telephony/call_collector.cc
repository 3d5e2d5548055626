#include "libs/telephony/call_collector.h"

#include "libs/base/status.h"
#include "xxhash.h"

namespace rapport {
namespace {

// Adds a leg, and its texts to `texts`, which those of all legs are views of.
void KeepLeg(const LegView& leg, std::vector<LegView>* legs, std::string* texts) {
  LegView& kept = legs->emplace_back(leg);
  size_t bytes = texts->size();
  kept.EachText([&](const absl::string_view* text) { bytes += text->size(); });
  if (bytes > texts->capacity()) {
    std::string larger;
    larger.reserve(2 * bytes);
    larger.append(*texts);
    for (size_t i = 0; i + 1 < legs->size(); ++i) {
      (*legs)[i].EachText([&](absl::string_view* text) {
        *text = absl::string_view(larger.data() + (text->data() - texts->data()), text->size());
      });
    }
    texts->swap(larger);
  }
  kept.EachText([&](absl::string_view* text) {
    const size_t begin = texts->size();
    texts->append(text->data(), text->size());
    *text = absl::string_view(*texts).substr(begin);
  });
}

}  // namespace

CallCollector::CallCollector(AssembleOptions options, Emit emit)
    : options_(std::move(options)), emit_(std::move(emit)) {}

absl::Status CallCollector::Add(source::v1::CallFact fact, int64_t line) {
  Next(fact.call_id(), line)->facts.push_back(std::move(fact));
  return GiveOut(kFactsApart);
}

absl::Status CallCollector::Add(absl::string_view call_id, const LegView& leg, int64_t line) {
  Call* const call = Next(call_id, line);
  KeepLeg(leg, &call->legs, &call->texts);
  return GiveOut(kFactsApart);
}

CallCollector::Call* CallCollector::Next(absl::string_view call_id, int64_t line) {
  ++facts_;
  auto place = calls_.find(call_id);
  if (place == calls_.end()) {
    std::unique_ptr<Call> call;
    if (free_.empty()) {
      call = std::make_unique<Call>();
    } else {
      call = std::move(free_.back());
      free_.pop_back();
    }
    call->id.assign(call_id.data(), call_id.size());
    call->first_line = line;
    const absl::string_view id = call->id;
    place = calls_.emplace(id, std::move(call)).first;
  }
  Call* const call = place->second.get();
  call->last_fact = facts_;
  order_.emplace_back(facts_, call);
  return call;
}

absl::Status CallCollector::GiveOut(int64_t facts_ago) {
  while (!order_.empty() && order_.front().first <= facts_ - facts_ago) {
    const auto [fact, call] = order_.front();
    order_.pop_front();
    if (call->last_fact == fact) RAPPORT_RETURN_IF_ERROR(emit_(Take(call)));
  }
  return absl::OkStatus();
}

CollectedCall CallCollector::Take(Call* call) {
  std::vector<const source::v1::CallFact*> facts;
  for (const source::v1::CallFact& each : call->facts) facts.push_back(&each);
  const XXH128_hash_t hash = XXH3_128bits(call->id.data(), call->id.size());
  CollectedCall collected{.call_id = call->id,
                          .assembled = facts.empty() ? AssembleLegs(call->id, call->legs, options_)
                                                     : AssembleCall(facts, options_),
                          .facts = static_cast<int64_t>(facts.size() + call->legs.size()),
                          .line = call->first_line,
                          .given_before = !given_.emplace(hash.low64, hash.high64).second};
  const auto place = calls_.find(call->id);
  call->facts.clear();
  call->legs.clear();
  call->texts.clear();
  free_.push_back(std::move(place->second));
  calls_.erase(place);
  return collected;
}

}  // namespace rapport
