// What Asterisk's manager interface sends; the first byte says in how many pieces it comes.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/telephony/manager_session.h"
#include "tests/fuzz/call_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  absl::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t piece = 1 + rest.size() / (1 + data[0] % 8);
  auto session = rapport::ManagerSession::Create("user", "secret", rapport::fuzz::FuzzSource());
  std::vector<rapport::source::v1::SourceRecord> records;
  while (!rest.empty()) {
    const auto received = session->Receive(rest.substr(0, piece), absl::UnixEpoch());
    rest.remove_prefix(std::min(piece, rest.size()));
    session->TakeOutput();
    if (!received.ok()) break;
    records.insert(records.end(), received->records.begin(), received->records.end());
  }
  rapport::fuzz::CheckCallRecords(records);
  return 0;
}
