#include "ops/answer.h"

#include <ctime>
#include <nlohmann/json.hpp>

namespace tellerd::ops {
namespace {

// Sent with every answer: pages, assets, figures and errors alike. No server name, no version.
constexpr std::string_view kFixedHeaders =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Connection: close\r\n";

void add(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

Answer problem(int status, std::string_view sentence) {
  Answer answer;
  answer.status = status;
  answer.content_type = "application/problem+json; charset=utf-8";
  const nlohmann::ordered_json body = {
      {"type", "about:blank"}, {"title", reason_phrase(status)}, {"status", status}, {"detail", sentence}};
  answer.body = body.dump() + "\n";
  return answer;
}

std::string head_of(const Answer& answer, std::string_view date, long long content_length, bool has_tls) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  head.append(reason_phrase(answer.status)).append("\r\n");
  add(head, "Date", date);
  head.append(kFixedHeaders);
  if (has_tls) add(head, "Strict-Transport-Security", "max-age=31536000");
  if (answer.etag.empty()) {
    add(head, "Cache-Control", "no-store");
  } else {
    add(head, "Cache-Control", "no-cache");
    add(head, "ETag", answer.etag);
  }
  if (answer.status != 304) add(head, "Content-Type", answer.content_type);
  if (!answer.allow.empty()) add(head, "Allow", answer.allow);
  if (answer.retry_after_s > 0) add(head, "Retry-After", std::to_string(answer.retry_after_s));
  if (!answer.set_cookie.empty()) add(head, "Set-Cookie", answer.set_cookie);
  if (!answer.file_name.empty()) add(head, "Content-Disposition", "attachment; filename=\"" + answer.file_name + '"');
  if (content_length >= 0) add(head, "Content-Length", std::to_string(content_length));
  return head.append("\r\n");
}

std::string http_date() {
  // strftime would follow the process's locale; the words of RFC 9110 are fixed.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday], utc.tm_mday,
                kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

}  // namespace tellerd::ops
