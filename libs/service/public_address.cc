#include "libs/service/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace rapport {
namespace {

struct Range4 {
  uint32_t prefix;
  int bits;
};

// After the IANA IPv4 Special-Purpose Address Registry.
constexpr std::array<Range4, 15> kSpecial4 = {{
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared by carriers
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0586300, 24},  // 6to4 relays
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarks
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 4},   // multicast
    {0xF0000000, 4},   // reserved, broadcast
}};

bool IsPublic4(uint32_t address) {
  return std::none_of(kSpecial4.begin(), kSpecial4.end(), [address](const Range4& range) {
    return (address ^ range.prefix) >> (32 - range.bits) == 0;
  });
}

uint32_t Read4(const uint8_t* bytes) {
  uint32_t address;
  std::memcpy(&address, bytes, sizeof address);
  return ntohl(address);
}

bool StartsWith(const uint8_t* bytes, std::initializer_list<uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes);
}

bool IsPublic6(const uint8_t* bytes) {
  // IPv4-mapped, translated (NAT64) and 6to4 lead to the IPv4 address that they hold.
  if (StartsWith(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}))
    return IsPublic4(Read4(bytes + 12));
  if (StartsWith(bytes, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return IsPublic4(Read4(bytes + 12));
  }
  if (StartsWith(bytes, {0x20, 0x02})) return IsPublic4(Read4(bytes + 2));
  // Teredo, benchmarks and the like, and documentation.
  if (StartsWith(bytes, {0x20, 0x01}) && bytes[2] < 2) return false;
  if (StartsWith(bytes, {0x20, 0x01, 0x0D, 0xB8})) return false;
  // Global unicast; all else is special or not given out.
  return bytes[0] >> 5 == 1;
}

}  // namespace

bool IsPublicAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in address4;
    std::memcpy(&address4, address, sizeof address4);
    return IsPublic4(ntohl(address4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 address6;
    std::memcpy(&address6, address, sizeof address6);
    return IsPublic6(address6.sin6_addr.s6_addr);
  }
  return false;
}

}  // namespace rapport
