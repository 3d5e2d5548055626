#include "tests/support/kafka_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <sstream>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "librdkafka/rdkafka.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(90);

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(errno)));
}

// A child process that dies with the calling thread; `in`, `out` and `err` become its standard
// streams.
pid_t Spawn(const std::vector<std::string>& command, int in, int out, int err) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execvp(argv[0], argv.data());
  _exit(127);
}

int Wait(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string End(const std::string& text) {
  constexpr size_t kMost = 4000;
  return text.size() <= kMost ? text : text.substr(text.size() - kMost);
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// A port that nobody listens on. Below the range that outgoing connections take theirs from, so
// that it is still free when a killed broker comes back.
int FreePort() {
  static std::mt19937 random(std::random_device{}());
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const int port = std::uniform_int_distribution<int>(12000, 32000)(random);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (free) return port;
  }
  RAPPORT_CHECK(false, "no free port between 12000 and 32000");
  return 0;
}

std::vector<std::string> Java(const std::vector<std::string>& options,
                              const std::string& main_class,
                              const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"java",
                                      "-XX:+UseSerialGC",
                                      "-XX:TieredStopAtLevel=1",
                                      "-XX:-UsePerfData",
                                      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                                      "-Dorg.slf4j.simpleLogger.showDateTime=true",
                                      "-cp",
                                      absl::StrCat(RAPPORT_KAFKA_FOLDER, "/lib/*")};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(main_class);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

absl::Status FetchJars() {
  const File null("/dev/null", O_RDWR);
  const int status = Wait(
      Spawn({RAPPORT_KAFKA_FETCH, RAPPORT_KAFKA_FOLDER}, null.fd(), STDOUT_FILENO, STDERR_FILENO));
  if (status == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(RAPPORT_KAFKA_FETCH, " failed"));
}

// What to make of an answer, which is null when no broker answered: ok ends the asking, Unavailable
// asks again, anything else ends it.
using Judge = std::function<absl::Status(const rd_kafka_metadata_t*)>;

absl::Status AskUntil(KafkaCluster::Settings settings, const std::string& servers,
                      const std::string& topic, const Judge& judge) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  char text[512];
  settings["bootstrap.servers"] = servers;
  settings["reconnect.backoff.ms"] = "20";
  settings["reconnect.backoff.max.ms"] = "100";
  settings["log_level"] = "0";
  for (const auto& [name, value] : settings) {
    RAPPORT_CHECK(
        rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) == RD_KAFKA_CONF_OK,
        text);
  }
  // A consumer's requests do not create topics.
  rd_kafka_t* const client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
  RAPPORT_CHECK(client != nullptr, text);
  rd_kafka_topic_t* const handle =
      topic.empty() ? nullptr : rd_kafka_topic_new(client, topic.c_str(), nullptr);
  absl::Status status;
  const absl::Time deadline = absl::Now() + kPatience;
  while (true) {
    const rd_kafka_metadata_t* metadata = nullptr;
    rd_kafka_metadata(client, 0, handle, &metadata, 500);
    status = judge(metadata);
    if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
    if (!absl::IsUnavailable(status) || absl::Now() >= deadline) break;
    absl::SleepFor(absl::Milliseconds(20));
  }
  if (handle != nullptr) rd_kafka_topic_destroy(handle);
  rd_kafka_destroy(client);
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaCluster>> KafkaCluster::Start(int brokers,
                                                                  const Settings& settings,
                                                                  const Settings& client) {
  RAPPORT_RETURN_IF_ERROR(FetchJars());
  absl::Status status;
  // Another process may take a port between our look and the broker's start.
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::unique_ptr<KafkaCluster> cluster(new KafkaCluster(client));
    status = cluster->Init(brokers, settings);
    if (status.ok()) return cluster;
    if (!absl::IsAborted(status)) break;
  }
  return status;
}

absl::Status KafkaCluster::Init(int brokers, const Settings& settings) {
  const char* const temporary = getenv("TMPDIR");
  folder_ = absl::StrCat(temporary == nullptr ? "/tmp" : temporary, "/rapport-kafka-XXXXXX");
  if (mkdtemp(folder_.data()) == nullptr) return SystemError(folder_);
  // The janitor removes the folder when the pipe closes: by our destructor, or by our death.
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return SystemError("pipe");
  janitor_pipe_ = pipe_ends[1];
  janitor_ = fork();
  if (janitor_ == 0) {
    dup2(pipe_ends[0], STDIN_FILENO);
    setsid();  // a Ctrl-C is not for it
    execl("/bin/sh", "sh", "-c",
          "cat >/dev/null; rm -rf -- \"$0\" || { sleep 1; rm -rf -- \"$0\"; }", folder_.c_str(),
          nullptr);
    _exit(127);
  }
  close(pipe_ends[0]);

  std::vector<std::string> voters;
  for (int id = 1; id <= brokers; ++id) {
    brokers_.push_back({.id = id, .port = FreePort(), .controller_port = FreePort()});
    voters.push_back(absl::StrCat(id, "@127.0.0.1:", brokers_.back().controller_port));
  }
  const int replicas = std::min(brokers, 3);
  for (const Broker& broker : brokers_) {
    Settings properties = {
        {"auto.leader.rebalance.enable", "false"},
        {"broker.heartbeat.interval.ms", "300"},
        {"broker.session.timeout.ms", "3000"},
        {"controller.listener.names", "CONTROLLER"},
        {"controller.quorum.voters", absl::StrJoin(voters, ",")},
        {"group.initial.rebalance.delay.ms", "0"},
        {"group.min.session.timeout.ms", "1000"},
        {"inter.broker.listener.name", "PLAINTEXT"},
        {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"},
        {"listeners", absl::StrCat("PLAINTEXT://127.0.0.1:", broker.port,
                                   ",CONTROLLER://127.0.0.1:", broker.controller_port)},
        {"log.cleaner.enable", "false"},
        {"log.dirs", absl::StrCat(BrokerFolder(broker.id), "/data")},
        {"log.index.size.max.bytes", "1048576"},
        {"min.insync.replicas", absl::StrCat(std::max(1, replicas - 1))},
        {"node.id", absl::StrCat(broker.id)},
        {"num.io.threads", "3"},
        {"num.network.threads", "2"},
        {"offsets.topic.num.partitions", "4"},
        {"offsets.topic.replication.factor", absl::StrCat(replicas)},
        {"process.roles", "broker,controller"},
        {"replica.lag.time.max.ms", "5000"},
        {"transaction.state.log.min.isr", absl::StrCat(std::max(1, replicas - 1))},
        {"transaction.state.log.num.partitions", "4"},
        {"transaction.state.log.replication.factor", absl::StrCat(replicas)},
    };
    for (const auto& [name, value] : settings) properties[name] = value;
    if (mkdir(BrokerFolder(broker.id).c_str(), 0700) != 0) return SystemError("mkdir");
    std::ofstream file(absl::StrCat(BrokerFolder(broker.id), "/server.properties"));
    for (const auto& [name, value] : properties) file << name << "=" << value << "\n";
  }
  RAPPORT_RETURN_IF_ERROR(Format());
  for (Broker& broker : brokers_) RAPPORT_RETURN_IF_ERROR(Launch(broker));
  return AwaitBrokers();
}

absl::Status KafkaCluster::Format() {
  std::string id(16, '\0');
  std::random_device random;
  for (char& byte : id) byte = static_cast<char>(random());
  const std::string cluster_id = absl::WebSafeBase64Escape(id);
  const File null("/dev/null", O_RDWR);
  std::map<int, pid_t> formatting;
  for (const Broker& broker : brokers_) {
    const File log(absl::StrCat(BrokerFolder(broker.id), "/log"), O_WRONLY | O_CREAT | O_APPEND);
    const std::string properties = absl::StrCat(BrokerFolder(broker.id), "/server.properties");
    // "=" keeps an id that begins with "-" from being an option.
    formatting[broker.id] =
        Spawn(Java({"-Xmx128m"}, "kafka.tools.StorageTool",
                   {"format", absl::StrCat("--cluster-id=", cluster_id), "-c", properties}),
              null.fd(), log.fd(), log.fd());
  }
  absl::Status result;
  for (const auto& [broker, pid] : formatting) {
    if (Wait(pid) == 0) continue;
    result = absl::InternalError(absl::StrCat("kafka.tools.StorageTool: ", EndOfLog(broker)));
  }
  return result;
}

absl::Status KafkaCluster::Launch(Broker& broker) {
  const File null("/dev/null", O_RDWR);
  const File log(absl::StrCat(BrokerFolder(broker.id), "/log"), O_WRONLY | O_CREAT | O_APPEND);
  broker.pid = Spawn(Java({"-Xmx256m"}, "kafka.Kafka",
                          {absl::StrCat(BrokerFolder(broker.id), "/server.properties")}),
                     null.fd(), log.fd(), log.fd());
  return broker.pid > 0 ? absl::OkStatus() : SystemError("fork");
}

absl::Status KafkaCluster::AwaitBrokers() {
  return AskUntil(client_, bootstrap_servers(), "", [this](const rd_kafka_metadata_t* metadata) {
    int running = 0;
    for (Broker& broker : brokers_) {
      if (broker.pid < 0) continue;
      ++running;
      if (waitpid(broker.pid, nullptr, WNOHANG) != broker.pid) continue;
      broker.pid = -1;
      return absl::AbortedError(
          absl::StrCat("Kafka broker ", broker.id, " ended: ", EndOfLog(broker.id)));
    }
    if (metadata != nullptr && metadata->broker_cnt == running) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(
        "not all of ", running, " Kafka brokers are up: ", EndOfLog(brokers_.front().id)));
  });
}

KafkaCluster::~KafkaCluster() {
  for (const Broker& broker : brokers_) Kill(broker.id);
  if (janitor_ < 0) return;
  close(janitor_pipe_);
  Wait(janitor_);
}

std::string KafkaCluster::bootstrap_servers() const {
  return absl::StrJoin(brokers_, ",", [](std::string* out, const Broker& broker) {
    absl::StrAppend(out, AddressOf(broker));
  });
}

std::string KafkaCluster::AddressOf(const Broker& broker) {
  return absl::StrCat("127.0.0.1:", broker.port);
}

KafkaCluster::Broker& KafkaCluster::Find(int broker) {
  RAPPORT_CHECK(broker >= 1 && broker <= static_cast<int>(brokers_.size()), "broker ", broker);
  return brokers_[static_cast<size_t>(broker - 1)];
}

void KafkaCluster::Kill(int broker) {
  pid_t& pid = Find(broker).pid;
  if (pid < 0) return;
  kill(pid, SIGKILL);
  Wait(pid);
  pid = -1;
}

void KafkaCluster::Pause(int broker) { kill(Running(broker), SIGSTOP); }

void KafkaCluster::Resume(int broker) { kill(Running(broker), SIGCONT); }

pid_t KafkaCluster::Running(int broker) {
  const pid_t pid = Find(broker).pid;
  RAPPORT_CHECK(pid > 0, "broker ", broker, " is down");
  return pid;
}

absl::Status KafkaCluster::Restart(int broker) {
  Broker& found = Find(broker);
  RAPPORT_CHECK(found.pid < 0, "broker ", broker, " is running");
  RAPPORT_RETURN_IF_ERROR(Launch(found));
  return AwaitBrokers();
}

absl::StatusOr<int> KafkaCluster::LeaderOf(const std::string& topic, int partition) const {
  int leader = -1;
  RAPPORT_RETURN_IF_ERROR(
      AskUntil(client_, bootstrap_servers(), topic, [&](const rd_kafka_metadata_t* metadata) {
        if (metadata != nullptr && metadata->topic_cnt == 1 &&
            partition < metadata->topics[0].partition_cnt) {
          leader = metadata->topics[0].partitions[partition].leader;
        }
        if (leader > 0) return absl::OkStatus();
        return absl::UnavailableError(absl::StrCat(topic, " ", partition, " has no leader"));
      }));
  return leader;
}

absl::Status KafkaCluster::AwaitInSync(const std::string& topic, int replicas) const {
  const absl::Time deadline = absl::Now() + kPatience;
  while (true) {
    // A broker that woke up believes for a while that all is as it was: they have to agree.
    std::set<std::vector<int>> leaders;
    for (const Broker& broker : brokers_) {
      if (broker.pid < 0) continue;
      std::vector<int> told;
      // A client that needs no other broker stays with the one that it was given.
      RAPPORT_RETURN_IF_ERROR(
          AskUntil(client_, AddressOf(broker), topic, [&](const rd_kafka_metadata_t* metadata) {
            told.clear();
            bool in_sync = metadata != nullptr && metadata->topic_cnt == 1;
            for (int i = 0; in_sync && i < metadata->topics[0].partition_cnt; ++i) {
              in_sync = metadata->topics[0].partitions[i].isr_cnt >= replicas;
              told.push_back(metadata->topics[0].partitions[i].leader);
            }
            if (in_sync) return absl::OkStatus();
            return absl::UnavailableError(
                absl::StrCat(topic, " has not ", replicas, " replicas in sync"));
          }));
      leaders.insert(told);
    }
    if (leaders.size() == 1) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return absl::UnavailableError(absl::StrCat("the brokers name other leaders of ", topic));
    }
  }
}

std::string KafkaCluster::PartitionFolder(int broker, const std::string& topic,
                                          int partition) const {
  return absl::StrCat(BrokerFolder(broker), "/data/", topic, "-", partition);
}

std::string KafkaCluster::BrokerFolder(int broker) const {
  return absl::StrCat(folder_, "/broker", broker);
}

std::string KafkaCluster::EndOfLog(int broker) const {
  return End(ReadFile(absl::StrCat(BrokerFolder(broker), "/log")));
}

absl::StatusOr<std::string> KafkaCluster::RunTool(const std::string& main_class,
                                                  const std::vector<std::string>& arguments,
                                                  absl::string_view input) const {
  const std::string base = absl::StrCat(folder_, "/tool");
  std::ofstream(absl::StrCat(base, ".in")) << input;
  int status;
  {
    const File in(absl::StrCat(base, ".in"), O_RDONLY);
    const File out(absl::StrCat(base, ".out"), O_WRONLY | O_CREAT | O_TRUNC);
    const File err(absl::StrCat(base, ".err"), O_WRONLY | O_CREAT | O_TRUNC);
    status = Wait(Spawn(Java({"-Xmx128m"}, main_class, arguments), in.fd(), out.fd(), err.fd()));
  }
  if (status == 0) return ReadFile(absl::StrCat(base, ".out"));
  return absl::UnknownError(
      absl::StrCat(main_class, " failed: ", End(ReadFile(absl::StrCat(base, ".err")))));
}

}  // namespace rapport
