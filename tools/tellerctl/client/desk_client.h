// A desk's end of the queue endpoint: questions are asked again until answered, pushes are handed on and a WITHDRAW is
// acknowledged, and a daemon that was started again is told HELLO. Errors: core::Fault(kFailed) when nobody answers
// within the patience. Threads: one.
#pragma once
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tellerctl/client/connection.h"

namespace tellerd::tellerctl {

class DeskClient {
 public:
  using Json = nlohmann::ordered_json;
  DeskClient(const std::string& endpoint, std::string client, Milliseconds patience, std::string where);

  void on_push(std::function<void(const Json&)> listener) { listener_ = std::move(listener); }
  Json hello();  // what is still held, in "held"
  Json ask(std::string_view verb, Json words = Json::object());
  void listen(Milliseconds wait);  // for pushes, while there is nothing to ask

 private:
  bool hear(Json& message, Milliseconds wait);  // the next frame that is no push

  Connection connection_;
  std::string client_, session_, where_;
  Milliseconds patience_;
  std::int64_t last_id_ = 0;
  std::function<void(const Json&)> listener_;
};

}  // namespace tellerd::tellerctl
