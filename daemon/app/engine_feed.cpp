// What the feed says, in the engine: the words of a line come from what the turn has in memory, so that none waits for
// a flush.
#include "app/engine.h"

namespace tellerd::app {

using deliver::What;

void Engine::listen(std::function<void(const std::string&, const std::function<std::string()>&)> listener) {
  words_ = std::make_unique<deliver::Words>(database_);
  outbox_->set_listener([this, listener = std::move(listener)](const deliver::Line& line, const std::string& topic) {
    const auto words = [&] { return say(line, topic); };
    listener(topic, std::cref(words));
  });
}

std::string Engine::say(const deliver::Line& line, const std::string& topic) {
  switch (line.what) {
    case What::kOffer:
    case What::kOfferEnd:
    case What::kOfferDone:
      return say_offer(line, topic);
    case What::kSegment: {
      const auto& row = *histories_->segment(line.a);
      const std::string key = identities_->display_key(row.move.customer);
      const auto name = [&](const char* what, int number) -> std::optional<std::string_view> {
        const auto& names = names_[what].names;
        const auto at = static_cast<std::size_t>(number);
        return number >= 0 && at < names.size() ? std::optional<std::string_view>(names[at]) : std::nullopt;
      };
      return deliver::say(line, topic,
                          deliver::SegmentWords{key, name("tier", row.tier), name("combined", row.combined),
                                                name("reason", row.reason), row.move.from_us});
    }
    case What::kChurn: {
      const auto& row = *histories_->churn(line.a);
      const std::string key = identities_->display_key(row.move.customer);
      return deliver::say(line, topic, deliver::ChurnWords{key, gold::name_of(row.state), row.move.from_us});
    }
    case What::kOverdue:
      break;
  }
  return words_->say(line, topic);
}

// What ended in this turn is told as it stood: the row of an old offer is the dearest thing that a turn reads.
std::string Engine::say_offer(const deliver::Line& line, const std::string& topic) {
  decide::OpenOffer offer;
  CustomerId customer = 0;
  deliver::OfferWords words;
  const auto* ended = line.what == What::kOfferEnd ? offers_->ended_now(line.a, turn_.seq) : nullptr;
  if (ended) {
    offer = ended->offer;
    customer = ended->customer;
    words.state = ended->state;
  } else {
    const decide::OfferFacts known = *offers_->find(line.a);
    offer = known.as_open();
    customer = known.customer;
  }
  const std::string key = identities_->display_key(customer);
  const QueueTemplate& made = templates_[offer.template_number];
  words.offer_id = offer.id;
  words.customer_key = key;
  words.queue = made.queue;
  words.action = made.action;
  words.offer_type = made.type;
  words.offer_type_ru = made.name_ru;
  words.combined_segment = made.segment;
  words.expected_revenue_minor = offer.revenue_minor;
  words.offer_priority = made.priority;
  words.days_valid = offer.days_valid;
  words.created_us = offer.expires_us - offer.days_valid * core::kDay;
  words.expires_us = offer.expires_us;
  return deliver::say(line, topic, words);
}

}  // namespace tellerd::app
