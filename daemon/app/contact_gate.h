// The contact policy in the funnel of a choice: what may not be made for this customer now (policy.md 3).
// Threads: the holder of the queues' lock, or of the book.
#pragma once
#include <functional>
#include <utility>
#include <vector>

#include "decide/choice.h"
#include "decide/contact_book.h"

namespace tellerd::app {

class ContactGate : public decide::Constraint {
 public:
  // `template_of` gives a candidate's template, which the book knows; -1 for none.
  ContactGate(const decide::ContactBook& contacts, const std::vector<decide::ContactRule>& rules,
              std::uint32_t customer, core::Instant now_us, int standing, std::function<int(std::size_t)> template_of)
      : contacts_(contacts),
        rules_(rules),
        customer_(customer),
        now_us_(now_us),
        standing_(standing),
        template_of_(std::move(template_of)) {}
  std::string_view blocks(std::size_t candidate) override;
  core::Instant opens_us = core::kNever;  // when the first of what was blocked may open by time alone

 private:
  const decide::ContactBook& contacts_;
  const std::vector<decide::ContactRule>& rules_;
  std::uint32_t customer_;
  core::Instant now_us_;
  int standing_;
  std::function<int(std::size_t)> template_of_;
};

}  // namespace tellerd::app
