#pragma once

namespace rapport {

// Has the process tell on standard error, in a sentence, why it ends, when it has no memory left or
// an exception that nobody takes: then it ends with exit code 3 where the surroundings are to blame
// (memory, threads), else it aborts. Called once, at the beginning of main().
void TellFatalErrors();

}  // namespace rapport
