#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Real Apache Kafka for tests, in KRaft mode: each broker is a JVM with its data in a temporary
// folder, on free loopback ports. Its jars come from tests/kafka/fetch.sh. Everything goes away
// with this object, and with the process however it dies. One thread at a time; the thread that
// calls Start and Restart has to outlive the brokers.
class KafkaCluster {
 public:
  // Server properties on top of the test defaults.
  using Settings = std::map<std::string, std::string>;

  // Brokers 1 to `brokers` (one, or three with replication factor 3 and min.insync.replicas 2 for
  // internal topics), ready for requests. About 4 s. `client` are the librdkafka settings that it
  // takes to ask them.
  static absl::StatusOr<std::unique_ptr<KafkaCluster>> Start(int brokers,
                                                             const Settings& settings = {},
                                                             const Settings& client = {});
  ~KafkaCluster();
  KafkaCluster(const KafkaCluster&) = delete;
  KafkaCluster& operator=(const KafkaCluster&) = delete;

  std::string bootstrap_servers() const;
  // SIGKILL. No effect on a broker that is down.
  void Kill(int broker);
  // SIGSTOP and SIGCONT: the broker falls silent with all its connections open, as one that the
  // network does not reach, and wakes up not knowing that time has passed.
  void Pause(int broker);
  void Resume(int broker);
  // Starts a killed broker again and waits until the cluster counts it in.
  absl::Status Restart(int broker);

  // Which broker leads the partition now.
  absl::StatusOr<int> LeaderOf(const std::string& topic, int partition) const;
  // Waits until so many replicas of each partition of `topic` are in sync, and every broker that is
  // up says so and names the same leaders.
  absl::Status AwaitInSync(const std::string& topic, int replicas) const;
  // Where the broker keeps the records of a partition.
  std::string PartitionFolder(int broker, const std::string& topic, int partition) const;

  // Runs a Java class of Kafka's with `input` on its standard input; its standard output. Unknown
  // with the end of its error output when it fails.
  absl::StatusOr<std::string> RunTool(const std::string& main_class,
                                      const std::vector<std::string>& arguments,
                                      absl::string_view input = {}) const;

 private:
  struct Broker {
    int id;
    int port;
    int controller_port;
    pid_t pid = -1;
  };

  explicit KafkaCluster(Settings client) : client_(std::move(client)) {}
  absl::Status Init(int brokers, const Settings& settings);
  absl::Status Format();
  absl::Status Launch(Broker& broker);
  absl::Status AwaitBrokers();
  static std::string AddressOf(const Broker& broker);
  Broker& Find(int broker);
  pid_t Running(int broker);
  std::string BrokerFolder(int broker) const;
  std::string EndOfLog(int broker) const;

  const Settings client_;
  std::string folder_;
  int janitor_pipe_ = -1;
  pid_t janitor_ = -1;
  std::vector<Broker> brokers_;
};

}  // namespace rapport
