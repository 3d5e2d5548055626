#include "services/sources/web_hook_inbox.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

// What a request costs beside its body.
constexpr size_t kRequestBytes = 1024;
// One thread takes about this much at a time, so that the others have work too.
constexpr size_t kGroupBytes = size_t{1} << 20;

bool IsRefusal(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
}

}  // namespace

WebHookInbox::WebHookInbox(WebHooks hooks, SourceWriter* writer, SourceMetrics* metrics,
                           Options options)
    : hooks_(std::move(hooks)), writer_(writer), metrics_(metrics), options_(std::move(options)) {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Run(); });
}

absl::StatusOr<const WebHook*> WebHookInbox::Find(const std::string& source) const {
  const auto hook = hooks_.find(source);
  if (hook != hooks_.end()) return &hook->second;
  return absl::NotFoundError(absl::StrCat("there is no source '", source,
                                          "' that takes requests; see sources in the "
                                          "configuration"));
}

absl::Status WebHookInbox::Admit(const HttpRequest& request) const {
  const std::string& source = request.PathValue("name");
  RAPPORT_ASSIGN_OR_RETURN(const WebHook* const hook, Find(source));
  if (!hook->admit) return absl::OkStatus();
  absl::Status status = hook->admit(HeadOf(request));
  if (!status.ok()) metrics_->Refused(source, status);
  return status;
}

void WebHookInbox::Submit(HttpRequest request, HttpReply reply) {
  const std::string source = request.PathValue("name");
  const absl::StatusOr<const WebHook*> hook = Find(source);
  if (!hook.ok()) return reply.Send(ErrorResponse(hook.status()));
  const size_t bytes = request.body.size() + kRequestBytes;
  {
    const MutexLock lock(&mutex_);
    // A single request passes whatever its size: the server has limited it.
    if (!stopping_ && (bytes_ == 0 || bytes_ + bytes <= options_.max_bytes)) {
      bytes_ += bytes;
      WebHookRequest inbound = HeadOf(request);
      inbound.body = std::move(request.body);
      waiting_.push_back({source, *hook, std::move(inbound), std::move(reply), bytes});
      changed_.Signal();
      return;
    }
  }
  reply.Send(ErrorResponse(
      absl::UnavailableError("more waits for the log than may; send it again after a second")));
}

void WebHookInbox::Stop() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

absl::Status WebHookInbox::trouble() const {
  const MutexLock lock(&mutex_);
  return trouble_;
}

std::vector<WebHookInbox::Item> WebHookInbox::Take() {
  std::vector<Item> items;
  size_t bytes = 0;
  const MutexLock lock(&mutex_);
  while (waiting_.empty() && !stopping_) changed_.Wait(&mutex_);
  while (!waiting_.empty() && bytes < kGroupBytes) {
    bytes += waiting_.front().bytes;
    items.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return items;
}

void WebHookInbox::Run() {
  while (true) {
    std::vector<Item> items = Take();
    if (items.empty()) return;
    std::vector<Done> done;
    size_t bytes = 0;
    for (Item& item : items) {
      bytes += item.bytes;
      done.push_back(Read(std::move(item)));
    }
    const absl::Status written = Write(&done);
    {
      const MutexLock lock(&mutex_);
      bytes_ -= bytes;
      trouble_ = written;
    }
    for (Done& one : done) {
      if (!written.ok() && !IsRefusal(one.status)) one.status = written;
      Answer(&one);
    }
  }
}

WebHookInbox::Done WebHookInbox::Read(Item item) {
  absl::StatusOr<Inbound> inbound = item.hook->read(item.request);
  const absl::Status status = inbound.status();
  return {.item = std::move(item),
          .inbound = inbound.ok() ? *std::move(inbound) : Inbound(),
          .status = status};
}

WebHookRequest WebHookInbox::HeadOf(const HttpRequest& request) const {
  const std::string root =
      !options_.public_url.empty()
          ? options_.public_url
          : absl::StrCat(request.secure ? "https://" : "http://", request.HeaderValue("host"));
  WebHookRequest hook;
  hook.url =
      absl::StrCat(root, request.raw_path, request.raw_query.empty() ? "" : "?", request.raw_query);
  hook.headers = request.headers;
  hook.now = absl::Now();
  return hook;
}

absl::Status WebHookInbox::Write(std::vector<Done>* done) {
  std::vector<source::v1::SourceRecord> records;
  std::vector<OfferedContact> contacts;
  std::vector<SourceRefusal> refusals;
  // The requests that they came with.
  std::vector<Done*> of_record;
  std::vector<Done*> of_contact;
  for (Done& one : *done) {
    for (source::v1::SourceRecord& record : one.inbound.records)
      records.push_back(std::move(record));
    for (OfferedContact& contact : one.inbound.contacts) contacts.push_back(std::move(contact));
    of_record.resize(records.size(), &one);
    of_contact.resize(contacts.size(), &one);
    if (one.status.ok() || IsRefusal(one.status)) continue;
    // It comes from the source, and would be lost.
    refusals.push_back({.source = one.item.source,
                        .record_id = absl::StrCat("body/", absl::ToUnixNanos(absl::Now())),
                        .content = std::move(one.item.request.body),
                        .reason = std::string(one.status.message())});
  }
  const auto refuse = [](Done* one) {
    one->status = absl::InvalidArgumentError(
        "it cannot be written; why, and what it was, is in the rejected log");
  };
  RefusedContacts refused;
  RAPPORT_RETURN_IF_ERROR(writer_->Append(std::move(records), &refused));
  for (const size_t place : refused) refuse(of_record[place]);
  if (!contacts.empty()) {
    RAPPORT_RETURN_IF_ERROR(writer_->Write(contacts, &refused));
    for (const size_t place : refused) refuse(of_contact[place]);
  }
  return refusals.empty() ? absl::OkStatus() : writer_->Refuse(refusals);
}

void WebHookInbox::Answer(Done* done) {
  if (done->status.ok()) {
    if (done->inbound.on_written) done->inbound.on_written();
    return done->item.reply.Send({.status = done->item.hook->answer(done->status), .body = "{}\n"});
  }
  metrics_->Refused(done->item.source, done->status);
  HttpResponse response = ErrorResponse(done->status);
  response.status = done->item.hook->answer(done->status);
  done->item.reply.Send(std::move(response));
}

}  // namespace rapport
