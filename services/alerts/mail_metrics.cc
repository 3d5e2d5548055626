#include "services/alerts/mail_metrics.h"

namespace rapport {

MailMetrics::MailMetrics(Metrics* metrics)
    : mails_(prometheus::BuildCounter()
                 .Name("rapport_mails_total")
                 .Help("Attempts to send a mail to our own people, by kind and by what came of it")
                 .Register(metrics->registry())),
      pending_(prometheus::BuildGauge()
                   .Name("rapport_mail_pending_mails")
                   .Help("Mails that are planned and not settled, as the facts of the log have it")
                   .Register(metrics->registry())
                   .Add({})),
      oldest_(prometheus::BuildGauge()
                  .Name("rapport_mail_oldest_pending_seconds")
                  .Help("Age of the oldest of them; 0 for none")
                  .Register(metrics->registry())
                  .Add({})),
      trouble_(prometheus::BuildGauge()
                   .Name("rapport_mail_server_trouble")
                   .Help("1 while the SMTP server cannot be reached or takes no mail")
                   .Register(metrics->registry())
                   .Add({})),
      urgent_(
          prometheus::BuildHistogram()
              .Name("rapport_mail_urgent_seconds")
              .Help("From the planning of an urgent mail to the reply of the server that took it")
              .Register(metrics->registry())
              .Add({}, prometheus::Histogram::BucketBoundaries{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30,
                                                               300})) {}

void MailMetrics::Count(const std::string& kind, const std::string& state) {
  mails_.Add({{"kind", kind}, {"result", state}}).Increment();
}

void MailMetrics::TookUrgent(absl::Duration duration) {
  urgent_.Observe(absl::ToDoubleSeconds(duration));
}

void MailMetrics::Set(size_t pending, absl::Duration oldest, bool trouble) {
  pending_.Set(static_cast<double>(pending));
  oldest_.Set(absl::ToDoubleSeconds(oldest));
  trouble_.Set(trouble ? 1 : 0);
}

}  // namespace rapport
