// How many requests a second the server answers over kept connections, and what an idle stream
// costs: in plain HTTP and, beside it, over TLS, whose handshakes are counted too.
//   http_bench [connections=64] [seconds=3] [threads=1] [body_bytes=300] [streams=10000]

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/service/http_server.h"
#include "libs/service/testing/http_load.h"
#include "libs/service/testing/raw_connection.h"
#include "libs/service/testing/test_certificates.h"
#include "libs/service/testing/tls_connection.h"

namespace rapport {
namespace {

int64_t ResidentBytes() {
  int64_t total_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

// Connects and closes, again and again.
int64_t Handshakes(int port, absl::Duration duration) {
  int64_t done = 0;
  const absl::Time end = absl::Now() + duration;
  while (absl::Now() < end) {
    if (TlsConnection(port).agreed()) ++done;
  }
  return done;
}

struct BenchOptions {
  int connections;
  int seconds;
  int threads;
  size_t body_bytes;
  int streams;
};

template <class Connection>
void Run(const char* protocol, const BenchOptions& bench, HttpServer::Options options) {
  Metrics metrics;
  options.threads = bench.threads;
  auto server = HttpServer::Create(options, &metrics);
  RAPPORT_CHECK(server.ok(), server.status().ToString());
  (*server)->Handle("POST", "/v1/touchpoints", Answering([](const HttpRequest& request) {
                      HttpResponse response;
                      response.status = 202;
                      response.body = "{\"positions\":[\"3:12345\"]}";
                      return response;
                    }));
  (*server)->Handle("GET", "/stream", [](const HttpRequest&, HttpReply reply) {
    HttpResponse head;
    head.content_type = "text/event-stream";
    reply.Stream(head).Write(": hello\n\n");
  });
  RAPPORT_CHECK((*server)->Start().ok());
  const int port = (*server)->port();
  const std::string request = absl::StrCat(
      "POST /v1/touchpoints HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
      "Content-Length: ",
      bench.body_bytes, "\r\n\r\n", std::string(bench.body_bytes, 'x'));
  const absl::Duration duration = absl::Seconds(bench.seconds);
  double before = ProcessorSeconds();
  const int64_t answered = InAnotherProcess(
      [&] { return Load<Connection>(port, bench.connections, duration, request); });
  std::printf("%s, %d connections, %d threads, POST of %zu bytes: %.0f requests/s, %.0f/s core\n",
              protocol, bench.connections, bench.threads, bench.body_bytes,
              static_cast<double>(answered) / bench.seconds,
              static_cast<double>(answered) / (ProcessorSeconds() - before));
  if (!options.tls_key_file.empty()) {
    before = ProcessorSeconds();
    const int64_t agreed = InAnotherProcess([&] { return Handshakes(port, duration); });
    std::printf("%s: %.0f handshakes/s core\n", protocol,
                static_cast<double>(agreed) / (ProcessorSeconds() - before));
  }

  const int64_t resident = ResidentBytes();
  int done[2];
  RAPPORT_CHECK(::pipe(done) == 0);
  const int64_t opened = InAnotherProcess([&]() -> int64_t {
    std::vector<Connection> peers;
    int64_t count = 0;
    for (int i = 0; i < bench.streams; ++i) {
      peers.emplace_back(port);
      peers.back().Send(RawGet("/stream"));
      if (!peers.back().ReadUntil("hello").empty()) ++count;
    }
    // Held while the other process looks at itself.
    if (::fork() == 0) {
      char end;
      ::close(done[1]);
      ::_exit(::read(done[0], &end, 1) == 0 ? 0 : 1);
    }
    return count;
  });
  std::printf("%s, %lld idle streams: %.1f KiB each\n", protocol, static_cast<long long>(opened),
              static_cast<double>(ResidentBytes() - resident) / 1024 / static_cast<double>(opened));
  ::close(done[1]);
}

void RunBoth(const BenchOptions& bench) {
  rlimit files;
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Run<RawConnection>("plain", bench, {});
  std::string folder = std::filesystem::temp_directory_path() / "rapport-bench-XXXXXX";
  folder = ::mkdtemp(folder.data());
  const TestCertificate certificate = TestCa().Issue("bench", "DNS:localhost");
  HttpServer::Options options;
  options.tls_certificate_file = folder + "/certificate";
  options.tls_key_file = folder + "/key";
  std::ofstream(options.tls_certificate_file) << certificate.certificate;
  std::ofstream(options.tls_key_file) << certificate.key;
  std::filesystem::permissions(options.tls_key_file, std::filesystem::perms::owner_read);
  Run<TlsConnection>("TLS", bench, options);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  const auto argument = [&](int index, int fallback) {
    return argc > index ? std::atoi(argv[index]) : fallback;
  };
  rapport::RunBoth({.connections = argument(1, 64),
                    .seconds = argument(2, 3),
                    .threads = argument(3, 1),
                    .body_bytes = static_cast<size_t>(argument(4, 300)),
                    .streams = argument(5, 10'000)});
  return 0;
}
