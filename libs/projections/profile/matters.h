#pragma once

#include <vector>

#include "google/protobuf/timestamp.pb.h"
#include "libs/projections/step_order.h"
#include "rapport/state/v1/profile.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Matters of a client that have a life of their own: contracts, meetings, needs, objections, and
// who waits for an answer. All are the same for every order of arrival.

namespace rapport {

// Moves `latest` on to `at`, if that is later.
inline void TakeLatestTime(const google::protobuf::Timestamp& at, bool has_latest,
                           google::protobuf::Timestamp* latest) {
  if (!has_latest || CompareTimes(at, *latest) > 0) *latest = at;
}

void FoldContractAgreed(const touchpoint::v1::Touchpoint& touchpoint,
                        state::v1::ProfileState* state);
void FoldContractTerminated(const touchpoint::v1::Touchpoint& touchpoint,
                            state::v1::ProfileState* state);
void FoldNeed(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ProfileState* state);
void FoldObjectionRaised(const touchpoint::v1::Touchpoint& touchpoint,
                         state::v1::ProfileState* state);
void FoldObjectionSettled(const touchpoint::v1::Touchpoint& touchpoint,
                          state::v1::ProfileState* state);
void FoldCompetitor(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ProfileState* state);
void FoldMeetingPlanned(const touchpoint::v1::Touchpoint& touchpoint,
                        state::v1::ProfileState* state);
void FoldMeetingMoved(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ProfileState* state);
// MeetingHeld and MeetingCancelled; those without an id are no meeting that was planned here.
void FoldMeetingEnded(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ProfileState* state);
// A mail that is a contact.
void FoldThread(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ProfileState* state);
// An attempt that did not come through; only the client's are kept.
void FoldMissedContact(const touchpoint::v1::Touchpoint& touchpoint,
                       touchpoint::v1::Channel channel, state::v1::ProfileState* state);
// By month, and by product area.
void FoldOrderedParts(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ProfileState* state);

// Whoever waits for an answer: a thread in which the client wrote last, a missed call or chat after
// which nothing came through. The latest first.
struct WaitingContact {
  const state::v1::Stamp* stamp = nullptr;
  touchpoint::v1::Channel channel = touchpoint::v1::CHANNEL_UNSPECIFIED;
  // Of a mail; null otherwise.
  const state::v1::ThreadProfile* thread = nullptr;
};
std::vector<WaitingContact> WaitingContacts(const state::v1::ProfileState& state);

}  // namespace rapport
