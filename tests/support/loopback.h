#pragma once

#include <netinet/in.h>

#include "absl/strings/string_view.h"

// Ports of this machine, for servers that tests start.

namespace rapport {

sockaddr_in LoopbackAddress(int port);
// One that nobody listens on just now.
int FreePort();
bool Listens(int port);
// Whether a server there begins with `greeting`, of which up to 16 bytes are looked at.
bool Greets(int port, absl::string_view greeting);

}  // namespace rapport
