// An HTTP answer and its bytes: one place that writes the headers, so that no answer leaves without them.
// Errors are problem+json (RFC 9457) with one plain sentence in "detail".
#pragma once
#include <string>
#include <string_view>

namespace tellerd::ops {

struct Answer {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body;
  std::string etag;   // quoted; when set the answer may be kept and must be asked for again (no-cache), else no-store
  std::string allow;  // of a 405
  int retry_after_s = 0;
  std::string set_cookie;
  std::string file_name;  // of something to be kept: Content-Disposition: attachment
};

Answer problem(int status, std::string_view sentence);

// Status line and headers up to the blank line. date: RFC 9110 date. content_length < 0: none is sent (an event
// stream). has_tls: browsers are told to come back over TLS alone.
std::string head_of(const Answer& answer, std::string_view date, long long content_length, bool has_tls = false);
std::string http_date();  // now

std::string_view reason_phrase(int status) noexcept;

}  // namespace tellerd::ops
