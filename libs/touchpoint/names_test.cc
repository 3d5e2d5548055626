#include "libs/touchpoint/names.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

TEST(Names, OfKinds) {
  EXPECT_EQ(KindName(Touchpoint::kOrderPlaced), "OrderPlaced");
  EXPECT_EQ(KindFieldName(Touchpoint::kOrderPlaced), "order_placed");
  EXPECT_EQ(KindLabel(Touchpoint::kOrderPlaced), "order placed");
  EXPECT_EQ(KindFullName(Touchpoint::kDeadLetterSkipped),
            "rapport.touchpoint.v1.DeadLetterSkipped");
  EXPECT_EQ(KindName(Touchpoint::PAYLOAD_NOT_SET), "");
  EXPECT_EQ(KindLabel(Touchpoint::PAYLOAD_NOT_SET), "unknown");
}

TEST(Names, EveryKindHasOne) {
  const auto* payload = Touchpoint::descriptor()->FindOneofByName("payload");
  for (int i = 0; i < payload->field_count(); ++i) {
    const auto kind = static_cast<Touchpoint::PayloadCase>(payload->field(i)->number());
    EXPECT_EQ(KindFullName(kind), payload->field(i)->message_type()->full_name());
  }
}

TEST(Names, EveryChannelHasALabelOfItsOwn) {
  std::set<std::string> labels;
  const auto* channels = touchpoint::v1::Channel_descriptor();
  for (int i = 0; i < channels->value_count(); ++i) {
    labels.insert(std::string(
        ChannelLabel(static_cast<touchpoint::v1::Channel>(channels->value(i)->number()))));
  }
  EXPECT_EQ(labels.size(), static_cast<size_t>(channels->value_count()));
  EXPECT_EQ(ChannelLabel(touchpoint::v1::CHANNEL_E_MAIL), "e-mail");
}

}  // namespace
}  // namespace rapport
