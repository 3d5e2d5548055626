#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/service/http_server.h"
#include "libs/service/metrics.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"

namespace rapport {

// Counts the requests of one route and method. Thread-safe.
class RouteMetrics {
 public:
  RouteMetrics(Metrics* metrics, std::string method, std::string pattern);
  void Observe(int status, absl::Duration taken);

 private:
  static constexpr int kStatuses = 600;

  prometheus::Family<prometheus::Counter>& requests_;
  const prometheus::Labels labels_;
  prometheus::Histogram& seconds_;
  // Looked up once for each status that occurs.
  std::array<std::atomic<prometheus::Counter*>, kStatuses> counters_ = {};
};

// Which handler answers a method and path. Not changed after it was filled; then thread-safe.
class RouteTable {
 public:
  struct Entry {
    std::string method;
    std::string pattern;
    HttpHandler handler;
    HttpServer::RouteOptions options;
    RouteMetrics metrics;
  };
  struct Match {
    // Nullptr: none for this method.
    Entry* entry = nullptr;
    std::vector<std::pair<std::string, std::string>> values;
    // The methods that the path has; empty when there is no such path.
    std::vector<std::string> methods;
  };

  explicit RouteTable(Metrics* metrics) : metrics_(metrics), unmatched_(metrics, "any", "none") {}

  void Add(absl::string_view method, absl::string_view pattern, HttpHandler handler,
           HttpServer::RouteOptions options);
  // As HttpServer::HandleRest.
  void AddRest(absl::string_view except, HttpHandler handler);
  // `raw_path` is still percent-encoded. HEAD is answered by the route of GET.
  Match Find(absl::string_view method, absl::string_view raw_path);
  std::vector<HttpServer::Route> routes() const;
  // For requests that no route takes.
  RouteMetrics& unmatched() { return unmatched_; }

 private:
  // All methods of one pattern.
  struct Pattern {
    std::string text;
    std::vector<std::string> segments;
    int literals = 0;
    std::vector<Entry*> entries;
  };

  Pattern& PatternOf(absl::string_view text);
  static Entry* EntryFor(const Pattern& pattern, absl::string_view method);
  bool IsOfRest(absl::string_view method, absl::string_view raw_path) const;

  Metrics* const metrics_;
  RouteMetrics unmatched_;
  std::vector<std::unique_ptr<Entry>> entries_;
  absl::flat_hash_map<std::string, Pattern> literal_;
  // Those with a {name}: the more literal ones first.
  std::vector<Pattern> with_names_;
  std::string rest_except_;
  std::unique_ptr<Entry> rest_;
};

}  // namespace rapport
