#include "tests/support/mail_server.h"

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
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "tests/support/loopback.h"

namespace rapport {
namespace {

constexpr char kDovecot[] = "/usr/sbin/dovecot";
constexpr absl::Duration kStartTime = absl::Seconds(20);

// Arguments: folder of all; user and group of the mails; user, group and log-in user of its
// processes; ports.
constexpr char kConfiguration[] = R"(
base_dir = %1$s/run
state_dir = %1$s/state
log_path = %1$s/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <%1$s/cert.pem
ssl_key = <%1$s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=plain username_format=%%u %1$s/passwd
}
userdb {
  driver = static
  args = uid=%2$d gid=%3$d home=%1$s/home
}
first_valid_uid = 1
mail_location = maildir:%1$s/mail
mail_max_userip_connections = 100
default_internal_user = %4$s
default_internal_group = %5$s
default_login_user = %6$s
mailbox_list_index = no
service imap-login {
  chroot =
  service_count = 0
  inet_listener imap {
    port = %7$d
  }
  inet_listener imaps {
    port = %8$d
    ssl = yes
  }
}
service anvil {
  chroot =
}
)";

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

absl::StatusOr<std::unique_ptr<MailServer>> MailServer::Start(absl::string_view settings) {
  if (!std::filesystem::exists(kDovecot)) {
    return absl::FailedPreconditionError("there is no dovecot: apt-get install dovecot-imapd");
  }
  std::unique_ptr<MailServer> server(new MailServer());
  server->settings_ = std::string(settings);
  RAPPORT_RETURN_IF_ERROR(server->Init());
  return server;
}

absl::Status MailServer::Init() {
  std::string folder = std::filesystem::temp_directory_path() / "rapport-mail-XXXXXX";
  folder_ = mkdtemp(folder.data());
  // The server's processes give up being root on their way to the mails.
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  ca_file_ = absl::StrCat(folder_, "/cert.pem");
  mail_uid_ = getuid();
  mail_gid_ = getgid();
  if (const passwd* const nobody = getpwnam("nobody"); mail_uid_ == 0 && nobody != nullptr) {
    mail_uid_ = nobody->pw_uid;
    mail_gid_ = nobody->pw_gid;
  }
  for (const char* const part : {"run", "state", "home", "mail"}) {
    std::filesystem::create_directories(absl::StrCat(folder_, "/", part));
  }
  HandOver(absl::StrCat(folder_, "/home"));
  HandOver(absl::StrCat(folder_, "/mail"));
  std::ofstream(absl::StrCat(folder_, "/passwd")) << kUser << ":" << kPassword << "\n";
  RAPPORT_RETURN_IF_ERROR(MakeCertificate());
  absl::Status status;
  // Somebody else may have taken the ports meanwhile.
  for (int i = 0; i < 5; ++i) {
    port_ = FreePort();
    tls_port_ = FreePort();
    RAPPORT_RETURN_IF_ERROR(WriteConfiguration());
    status = Launch();
    if (status.ok()) break;
  }
  return status;
}

MailServer::~MailServer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

absl::Status MailServer::MakeCertificate() {
  const std::string command = absl::StrCat(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2",
      " -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ", folder_,
      "/key.pem -out ", ca_file_, " 2>", folder_, "/openssl.log");
  if (std::system(command.c_str()) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("no certificate: ", ReadFile(absl::StrCat(folder_, "/openssl.log"))));
}

absl::Status MailServer::WriteConfiguration() const {
  const passwd* const me = getpwuid(getuid());
  if (me == nullptr) return absl::FailedPreconditionError("this user has no name");
  const bool root = getuid() == 0;
  const std::string user = me->pw_name;
  std::ofstream(absl::StrCat(folder_, "/dovecot.conf"))
      << absl::StrFormat(kConfiguration, folder_, mail_uid_, mail_gid_, root ? "dovecot" : user,
                         root ? std::string("dovecot") : absl::StrCat(getgid()),
                         root ? "dovenull" : user, port_, tls_port_)
      << settings_ << "\n";
  return absl::OkStatus();
}

absl::Status MailServer::Launch() {
  const std::string configuration = absl::StrCat(folder_, "/dovecot.conf");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    execl(kDovecot, kDovecot, "-F", "-c", configuration.c_str(), nullptr);
    _exit(127);
  }
  const absl::Time deadline = absl::Now() + kStartTime;
  while (absl::Now() < deadline) {
    if (Greets(port_, "* OK")) return absl::OkStatus();
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  Stop();
  return absl::InternalError(
      absl::StrCat("dovecot does not start: ", ReadFile(absl::StrCat(folder_, "/log"))));
}

void MailServer::Stop() {
  if (pid_ < 0) return;
  // All of its processes, and at once: the time that it takes to say goodbye tests nothing.
  kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  // Its children may live a moment longer: they would greet in the next one's place, which could
  // not bind the port.
  while (Listens(port_)) absl::SleepFor(absl::Milliseconds(1));
  // Nor is their lock a living one, for which the next one would wait for minutes.
  std::vector<std::filesystem::path> locks;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_ + "/mail", ignored)) {
    if (entry.path().extension() == ".lock") locks.push_back(entry.path());
  }
  for (const std::filesystem::path& lock : locks) std::filesystem::remove(lock, ignored);
}

void MailServer::HandOver(const std::string& path) const {
  if (getuid() == 0 && chown(path.c_str(), mail_uid_, mail_gid_) != 0) std::abort();
}

std::string MailServer::FolderPath(absl::string_view folder) const {
  return folder == "INBOX" ? absl::StrCat(folder_, "/mail")
                           : absl::StrCat(folder_, "/mail/.", folder);
}

void MailServer::Deliver(absl::string_view mail, absl::string_view folder) {
  const std::string path = FolderPath(folder);
  for (const char* const part : {"", "/tmp", "/new", "/cur"}) {
    const std::string made = absl::StrCat(path, part);
    if (std::filesystem::create_directory(made)) HandOver(made);
  }
  const std::string name =
      absl::StrFormat("%d.M%06dP1.host", absl::ToUnixSeconds(absl::Now()), ++delivered_);
  const std::string temporary = absl::StrCat(path, "/tmp/", name);
  std::ofstream(temporary, std::ios::binary) << mail;
  HandOver(temporary);
  std::filesystem::rename(temporary, absl::StrCat(path, "/new/", name));
}

std::map<std::string, std::string> MailServer::Files(absl::string_view folder) const {
  std::map<std::string, std::string> files;
  for (const char* const part : {"new", "cur"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(absl::StrCat(FolderPath(folder), "/", part))) {
      files[absl::StrCat(part, "/", entry.path().filename().string())] = ReadFile(entry.path());
    }
  }
  return files;
}

absl::Status MailServer::Restart() {
  Stop();
  return Launch();
}

absl::Status MailServer::ChangeUidValidity(absl::string_view folder) {
  Stop();
  const std::string path = FolderPath(folder);
  // "3 V<validity> N<next uid> G<guid>", then a line for each message.
  const std::string list = ReadFile(absl::StrCat(path, "/dovecot-uidlist"));
  const size_t begin = list.find(" V") + 2;
  const size_t end = list.find(' ', begin);
  if (end == std::string::npos) return absl::FailedPreconditionError("nobody opened the folder");
  int64_t validity = 0;
  if (!absl::SimpleAtoi(list.substr(begin, end - begin), &validity)) {
    return absl::DataLossError(absl::StrCat("no UIDVALIDITY in ", list.substr(0, end)));
  }
  std::ofstream(absl::StrCat(path, "/dovecot-uidlist"))
      << "3 V" << validity + 1 << " N1 G" << std::string(32, 'a') << "\n";
  for (const char* const index : {"dovecot.index", "dovecot.index.log", "dovecot.index.cache"}) {
    std::filesystem::remove(absl::StrCat(path, "/", index));
  }
  return Launch();
}

}  // namespace rapport
