#include "libs/service/route_table.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "libs/base/check.h"
#include "libs/service/http_target.h"

namespace rapport {
namespace {

bool IsName(absl::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool IsOfSeveral(absl::string_view segment) {
  return IsName(segment) && absl::EndsWith(segment, "...}");
}

using Values = std::vector<std::pair<std::string, std::string>>;

std::optional<Values> MatchSegments(const std::vector<std::string>& pattern,
                                    const std::vector<absl::string_view>& path) {
  const auto several = std::find_if(pattern.begin(), pattern.end(), IsOfSeveral);
  if (several == pattern.end() ? pattern.size() != path.size() : pattern.size() > path.size()) {
    return std::nullopt;
  }
  Values values;
  size_t next = 0;
  for (auto part = pattern.begin(); part != pattern.end(); ++part) {
    // Those that the others leave to it.
    const size_t taken = part == several ? path.size() - pattern.size() + 1 : 1;
    std::optional<std::string> text =
        PercentDecode(absl::StrJoin(absl::MakeConstSpan(path).subspan(next, taken), "/"));
    next += taken;
    if (!text) return std::nullopt;
    if (!IsName(*part)) {
      if (*text != *part) return std::nullopt;
      continue;
    }
    if (text->empty()) return std::nullopt;
    const size_t marks = part == several ? 5 : 2;
    values.emplace_back(part->substr(1, part->size() - marks), *std::move(text));
  }
  return values;
}

// As the document of the interface writes it: "/v1/alerts/{id}" of "/v1/alerts/{id...}".
std::string ShownPattern(absl::string_view pattern) {
  return absl::StrReplaceAll(pattern, {{"...}", "}"}});
}

}  // namespace

RouteMetrics::RouteMetrics(Metrics* metrics, std::string method, std::string pattern)
    : requests_(prometheus::BuildCounter()
                    .Name("rapport_http_requests_total")
                    .Help("Requests answered, by route, method and status")
                    .Register(metrics->registry())),
      labels_({{"route", std::move(pattern)}, {"method", std::move(method)}}),
      seconds_(prometheus::BuildHistogram()
                   .Name("rapport_http_request_seconds")
                   .Help("From the header of a request to its answer")
                   .Register(metrics->registry())
                   .Add(labels_, prometheus::Histogram::BucketBoundaries{
                                     0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                     0.5, 1, 2.5, 5, 10})) {}

void RouteMetrics::Observe(int status, absl::Duration taken) {
  seconds_.Observe(absl::ToDoubleSeconds(taken));
  std::atomic<prometheus::Counter*>& counter = counters_[std::clamp(status, 0, kStatuses - 1)];
  prometheus::Counter* known = counter.load(std::memory_order_acquire);
  if (known == nullptr) {
    prometheus::Labels labels = labels_;
    labels["code"] = std::to_string(status);
    known = &requests_.Add(labels);
    counter.store(known, std::memory_order_release);
  }
  known->Increment();
}

void RouteTable::Add(absl::string_view method, absl::string_view pattern, HttpHandler handler,
                     HttpServer::RouteOptions options) {
  RAPPORT_CHECK(absl::StartsWith(pattern, "/"), "route ", pattern);
  Pattern& entry = PatternOf(pattern);
  RAPPORT_CHECK(std::none_of(entry.entries.begin(), entry.entries.end(),
                             [method](const Entry* other) { return other->method == method; }),
                "two routes for ", method, " ", pattern);
  entries_.emplace_back(
      new Entry{std::string(method), ShownPattern(pattern), std::move(handler), std::move(options),
                RouteMetrics(metrics_, std::string(method), ShownPattern(pattern))});
  entry.entries.push_back(entries_.back().get());
}

void RouteTable::AddRest(absl::string_view except, HttpHandler handler) {
  RAPPORT_CHECK(rest_ == nullptr, "two routes for the rest");
  rest_except_ = std::string(except);
  rest_.reset(new Entry{
      "GET", "rest", std::move(handler), {.open = true}, RouteMetrics(metrics_, "GET", "rest")});
}

RouteTable::Pattern& RouteTable::PatternOf(absl::string_view text) {
  Pattern pattern;
  pattern.text = std::string(text);
  pattern.segments = absl::StrSplit(text, '/');
  pattern.literals =
      static_cast<int>(std::count_if(pattern.segments.begin(), pattern.segments.end(),
                                     [](const std::string& segment) { return !IsName(segment); }));
  if (pattern.literals == static_cast<int>(pattern.segments.size())) {
    const std::string key = pattern.text;
    return literal_.try_emplace(key, std::move(pattern)).first->second;
  }
  const auto same = std::find_if(with_names_.begin(), with_names_.end(),
                                 [text](const Pattern& other) { return other.text == text; });
  if (same != with_names_.end()) return *same;
  const auto place =
      std::find_if(with_names_.begin(), with_names_.end(),
                   [&pattern](const Pattern& other) { return other.literals < pattern.literals; });
  return *with_names_.insert(place, std::move(pattern));
}

RouteTable::Entry* RouteTable::EntryFor(const Pattern& pattern, absl::string_view method) {
  const absl::string_view wanted = method == "HEAD" ? "GET" : method;
  for (Entry* const entry : pattern.entries) {
    if (entry->method == wanted) return entry;
  }
  return nullptr;
}

RouteTable::Match RouteTable::Find(absl::string_view method, absl::string_view raw_path) {
  Match match;
  const auto add_methods = [&match](const Pattern& pattern) {
    for (const Entry* const entry : pattern.entries) match.methods.push_back(entry->method);
  };
  if (const auto it = literal_.find(raw_path); it != literal_.end()) {
    match.entry = EntryFor(it->second, method);
    if (match.entry != nullptr) return match;
    add_methods(it->second);
  }
  const std::vector<absl::string_view> segments = absl::StrSplit(raw_path, '/');
  for (const Pattern& pattern : with_names_) {
    // What stands behind an id of several segments belongs to it only where it is no route.
    if (!match.methods.empty() &&
        std::any_of(pattern.segments.begin(), pattern.segments.end(), IsOfSeveral)) {
      continue;
    }
    std::optional<Values> values = MatchSegments(pattern.segments, segments);
    if (!values) continue;
    match.entry = EntryFor(pattern, method);
    if (match.entry != nullptr) {
      match.values = *std::move(values);
      return match;
    }
    add_methods(pattern);
  }
  if (match.methods.empty() && IsOfRest(method, raw_path)) match.entry = rest_.get();
  return match;
}

bool RouteTable::IsOfRest(absl::string_view method, absl::string_view raw_path) const {
  if (rest_ == nullptr || (method != "GET" && method != "HEAD")) return false;
  return raw_path != rest_except_ && !absl::StartsWith(raw_path, absl::StrCat(rest_except_, "/"));
}

std::vector<HttpServer::Route> RouteTable::routes() const {
  std::vector<HttpServer::Route> routes;
  for (const auto& entry : entries_) routes.push_back({entry->method, entry->pattern});
  return routes;
}

}  // namespace rapport
