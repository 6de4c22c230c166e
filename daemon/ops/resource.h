// An address of the API: who may ask it, and the function that answers. Rooms downstream make them, routes serve them.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "ops/answer.h"
#include "ops/gate.h"
#include "ops/parameters.h"
#include "ops/roles.h"

namespace tellerd::ops {

// What the audit log will say of it. subjects: the internal numbers of the customers read, with blanks between.
struct Reading {
  std::string action, subjects, detail;
};

struct Ask {
  const Request& request;
  const Principal& who;
  std::string_view rest;  // of a path that ends in '/': what follows it
  const Parameters& parameters;
  std::string_view body;  // of a POST
};

// A reply that shows a customer names the reading; it is written down before a byte of the answer leaves.
struct Reply {
  Answer answer;
  std::optional<Reading> reading;
};

struct Resource {
  std::string method;  // GET (and HEAD with it) or POST
  std::string path;    // ends in '/': everything below it
  Roles roles = kEverybody;
  bool takes_parameters = false;
  std::function<Reply(const Ask&)> answer;
};

}  // namespace tellerd::ops
