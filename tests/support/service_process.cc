#include "tests/support/service_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr absl::string_view kListening = "listening on ";
constexpr absl::Duration kStartTimeout = absl::Seconds(60);

// The address in what was written so far; "" when it is not there yet.
std::string AddressIn(absl::string_view output) {
  const size_t begin = output.find(kListening);
  if (begin == absl::string_view::npos) return "";
  const absl::string_view rest = output.substr(begin + kListening.size());
  const size_t end = rest.find_first_of("\" \n");
  return end == absl::string_view::npos ? "" : std::string(rest.substr(0, end));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceProcess>> ServiceProcess::Start(
    const std::string& binary, const std::vector<std::string>& arguments) {
  std::unique_ptr<ServiceProcess> process = Launch(binary, arguments);
  RAPPORT_RETURN_IF_ERROR(process->AwaitListening());
  return process;
}

std::unique_ptr<ServiceProcess> ServiceProcess::Launch(const std::string& binary,
                                                       const std::vector<std::string>& arguments) {
  int ends[2];
  RAPPORT_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "no pipe");
  std::vector<char*> argv = {const_cast<char*>(binary.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::unique_ptr<ServiceProcess> process(new ServiceProcess());
  process->binary_ = binary;
  process->pid_ = ::fork();
  RAPPORT_CHECK(process->pid_ >= 0, "no process");
  if (process->pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::execv(binary.c_str(), argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  process->reader_ = std::thread([raw = process.get(), pipe = ends[0]] { raw->ReadOutput(pipe); });
  return process;
}

absl::Status ServiceProcess::AwaitListening() {
  const absl::Time deadline = absl::Now() + kStartTimeout;
  {
    const MutexLock lock(&mutex_);
    while (address_.empty() && !ended_ && absl::Now() < deadline) {
      changed_.WaitFor(&mutex_, deadline - absl::Now());
      address_ = AddressIn(output_);
    }
  }
  if (!address_.empty()) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat(binary_, " does not listen; it wrote: ", Output()));
}

ServiceProcess::~ServiceProcess() {
  Kill();
  if (reader_.joinable()) reader_.join();
}

void ServiceProcess::ReadOutput(int pipe) {
  char buffer[4096];
  for (ssize_t size; (size = ::read(pipe, buffer, sizeof buffer)) > 0;) {
    MutexLock lock(&mutex_);
    output_.append(buffer, static_cast<size_t>(size));
    changed_.SignalAll();
  }
  ::close(pipe);
  MutexLock lock(&mutex_);
  ended_ = true;
  changed_.SignalAll();
}

std::string ServiceProcess::host_and_port() const {
  const size_t scheme = address_.find("//");
  return scheme == std::string::npos ? address_ : address_.substr(scheme + 2);
}

std::string ServiceProcess::Output() const {
  MutexLock lock(&mutex_);
  return output_;
}

int ServiceProcess::Wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void ServiceProcess::Kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  Wait();
}

int ServiceProcess::Terminate() {
  ::kill(pid_, SIGTERM);
  return Wait();
}

}  // namespace rapport
