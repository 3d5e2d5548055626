#pragma once

#include <sys/socket.h>

namespace rapport {

// Whether the address may be anywhere on the Internet: neither loopback, private, link-local,
// unique local, multicast, documentation, shared nor reserved, and none of these in an IPv6 form of
// IPv4.
bool IsPublicAddress(const sockaddr* address);

}  // namespace rapport
