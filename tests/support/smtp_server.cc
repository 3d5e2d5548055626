#include "tests/support/smtp_server.h"

#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "tests/support/loopback.h"

namespace rapport {
namespace {

constexpr char kMaster[] = "/usr/lib/postfix/sbin/master";
constexpr absl::Duration kStartTime = absl::Seconds(20);

// Arguments: folder of all; the certificate's folder; user and group of the mailboxes; the domain;
// who is refused.
constexpr char kMain[] = R"(
compatibility_level = 3.6
queue_directory = %1$s/queue
data_directory = %1$s/data
maillog_file = %1$s/log
maillog_file_prefixes = %1$s
mail_owner = postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
alias_maps =
virtual_mailbox_domains = %5$s
virtual_mailbox_base = %1$s/mail
virtual_mailbox_maps = inline:{{@%5$s = all/}}
virtual_uid_maps = static:%3$d
virtual_gid_maps = static:%4$d
virtual_minimum_uid = 1
smtpd_recipient_restrictions =
  check_recipient_access inline:{{%6$s = REJECT no such mailbox}} reject_unauth_destination
smtpd_sasl_type = dovecot
smtpd_sasl_path = %1$s/auth
smtpd_tls_cert_file = %2$s/cert.pem
smtpd_tls_key_file = %2$s/key.pem
)";

// Arguments: the ports.
constexpr char kServices[] = R"(
127.0.0.1:%1$d inet n - n - - smtpd
127.0.0.1:%2$d inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:%3$d inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
)";

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

absl::StatusOr<std::unique_ptr<SmtpServerProcess>> SmtpServerProcess::Start() {
  if (!std::filesystem::exists(kMaster)) {
    return absl::FailedPreconditionError("there is no postfix: apt-get install postfix");
  }
  if (getuid() != 0) return absl::FailedPreconditionError("Postfix can be started by root alone");
  std::unique_ptr<SmtpServerProcess> server(new SmtpServerProcess());
  RAPPORT_RETURN_IF_ERROR(server->Init());
  return server;
}

absl::Status SmtpServerProcess::Init() {
  std::string folder = std::filesystem::temp_directory_path() / "rapport-smtp-XXXXXX";
  folder_ = mkdtemp(folder.data());
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  RAPPORT_ASSIGN_OR_RETURN(
      logins_, MailServer::Start(absl::StrCat("service auth {\n  unix_listener ", folder_,
                                              "/auth {\n    mode = 0666\n  }\n}")));
  for (const char* const part : {"mail", "queue", "data", "conf"}) {
    std::filesystem::create_directories(absl::StrCat(folder_, "/", part));
  }
  const passwd* const nobody = getpwnam("nobody");
  if (nobody == nullptr ||
      chown(absl::StrCat(folder_, "/mail").c_str(), nobody->pw_uid, nobody->pw_gid) != 0) {
    return absl::FailedPreconditionError("there is no user 'nobody', whom mail is delivered as");
  }
  if (const passwd* const owner = getpwnam("postfix");
      owner == nullptr ||
      chown(absl::StrCat(folder_, "/data").c_str(), owner->pw_uid, owner->pw_gid) != 0) {
    return absl::FailedPreconditionError("there is no user 'postfix'");
  }
  absl::Status status;
  // Somebody else may have taken the ports meanwhile.
  for (int i = 0; i < 5; ++i) {
    port_ = FreePort();
    start_tls_port_ = FreePort();
    tls_port_ = FreePort();
    RAPPORT_RETURN_IF_ERROR(WriteConfiguration());
    status = Launch();
    if (status.ok()) break;
  }
  return status;
}

SmtpServerProcess::~SmtpServerProcess() {
  Stop();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

absl::Status SmtpServerProcess::WriteConfiguration() const {
  const passwd* const nobody = getpwnam("nobody");
  const std::filesystem::path certificate = logins_->ca_file();
  const std::string conf = absl::StrCat(folder_, "/conf");
  std::ofstream(conf + "/main.cf")
      << absl::StrFormat(kMain, folder_, certificate.parent_path().string(), nobody->pw_uid,
                         nobody->pw_gid, kDomain, kNobody);
  std::ofstream(conf + "/master.cf")
      << absl::StrFormat(kServices, port_, start_tls_port_, tls_port_);
  const std::string command =
      absl::StrCat("postfix -c ", conf, " check >", folder_, "/check.log 2>&1");
  if (std::system(command.c_str()) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("postfix check: ", ReadFile(absl::StrCat(folder_, "/check.log"))));
}

absl::Status SmtpServerProcess::Launch() {
  const std::string configuration = absl::StrCat(folder_, "/conf");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    setenv("MAIL_CONFIG", configuration.c_str(), 1);
    execl(kMaster, kMaster, "-d", "-c", configuration.c_str(), nullptr);
    _exit(127);
  }
  const absl::Time deadline = absl::Now() + kStartTime;
  while (absl::Now() < deadline) {
    if (Greets(port_, "220 ")) return absl::OkStatus();
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  Stop();
  return absl::InternalError(absl::StrCat("postfix does not start: ", Log()));
}

void SmtpServerProcess::Stop() {
  if (pid_ < 0) return;
  kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  // Its children may live a moment longer, and hold the port.
  while (Listens(port_)) absl::SleepFor(absl::Milliseconds(1));
}

std::string SmtpServerProcess::Log() const { return ReadFile(absl::StrCat(folder_, "/log")); }

std::vector<std::string> SmtpServerProcess::MailsOf(absl::string_view user) const {
  std::vector<std::string> mails;
  const std::string mark = absl::StrCat("X-Original-To: ", user, "@", kDomain, "\n");
  std::error_code none_yet;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_ + "/mail/all/new", none_yet)) {
    std::string mail = ReadFile(entry.path());
    if (absl::StrContains(mail, mark)) mails.push_back(std::move(mail));
  }
  return mails;
}

}  // namespace rapport
