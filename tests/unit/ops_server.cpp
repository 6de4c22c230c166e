// The gate and the table of addresses over raw sockets: each rule and each header is one line here.
#include "core/fault.h"
#include "unit/ops_peer.h"

using namespace tellerd::ops;
using namespace tellerd::ops::test;

namespace {

std::string many_headers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "X-" + std::to_string(i) + ": 1\r\n";
  return text;
}

}  // namespace

TEST_SUITE("ops.server") {
  TEST_CASE("every address in the table answers what it promises") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    REQUIRE(server.port() > 0);
    CHECK(get(server, "/").has("Content-Type: text/html; charset=utf-8"));
    CHECK(get(server, "/").body.rfind("<!doctype html>", 0) == 0);
    CHECK(get(server, "/app.js").has("Content-Type: text/javascript; charset=utf-8"));
    CHECK(get(server, "/app.css").has("Content-Type: text/css; charset=utf-8"));
    CHECK(get(server, "/favicon.svg").has("Content-Type: image/svg+xml; charset=utf-8"));
    CHECK(get(server, "/api/v1/status").body.rfind("{\"now_us\":", 0) == 0);
    CHECK(get(server, "/api/v1/status").has("Content-Type: application/json; charset=utf-8"));
    CHECK(get(server, "/metrics").body == "tellerd_up 1\n");
    CHECK(get(server, "/metrics").has("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    CHECK(get(server, "/healthz").body == "ok\n");
    CHECK(get(server, "/readyz").body == "ok\n");
    CHECK(is_problem(get(server, "/nothing"), 404));
    CHECK(is_problem(get(server, "/healthz/"), 404));
    CHECK(is_problem(get(server, "/index.html"), 404));
    const auto in_browser = get(server, "/offers", "Accept: text/html,*/*\r\n");
    CHECK(in_browser.status == 404);
    CHECK(in_browser.body.find("<script type=\"module\" src=\"/app.js\">") != std::string::npos);
    CHECK(is_problem(get(server, "/api/v1/nothing", "Accept: text/html\r\n"), 404));
  }

  TEST_CASE("health and readiness are told apart") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    fake.is_ready = false;
    CHECK(get(server, "/healthz").status == 200);
    CHECK(is_problem(get(server, "/readyz"), 503));
    fake.is_healthy = false;
    CHECK(is_problem(get(server, "/healthz"), 503));
    CHECK(get(server, "/healthz").has("Retry-After: 1"));
  }

  TEST_CASE("the fixed headers are on every answer, good or bad, ours or the parser's") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    for (const char* path : {"/", "/app.js", "/app.css", "/favicon.svg", "/api/v1/status", "/metrics", "/healthz",
                             "/api/v1/sums", "/api/v1/things/x", "/nothing", "/healthz%00"}) {
      CHECK_MESSAGE(header_fault(get(server, path)) == "", path);
    }
    CHECK(header_fault(reply_to(server, "DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")) == "");
    CHECK(header_fault(reply_to(server, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")) == "");
    CHECK(header_fault(reply_to(server, "nonsense\r\n\r\n")) == "");
    CHECK(header_fault(reply_to(server, "GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n")) == "");
    CHECK(get(server, "/api/v1/status").has("Cache-Control: no-store"));
    CHECK(get(server, "/nothing").has("Cache-Control: no-store"));
    CHECK(get(server, "/app.js").has("Cache-Control: no-cache"));
  }

  TEST_CASE("only GET, HEAD and POST pass the gate, and nothing here can be posted") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const std::string rest = " / HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const char* method : {"PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "PROPFIND", "MKCOL", "REPORT"}) {
      CHECK_MESSAGE(is_problem(reply_to(server, method + rest + "\r\n"), 405), method);
    }
    CHECK(reply_to(server, "PUT" + rest + "\r\n").has("Allow: GET, HEAD"));
    CHECK(reply_to(server, "BREW" + rest + "\r\n").status == 400);
    CHECK(reply_to(server, "TRACE" + rest + "\r\n").status >= 400);
    CHECK(is_problem(reply_to(server, "POST" + rest + "\r\n"), 403));
    CHECK(is_problem(reply_to(server, "POST" + rest + "X-Tellerd: 1\r\nSec-Fetch-Site: cross-site\r\n\r\n"), 403));
    CHECK(is_problem(reply_to(server, "POST" + rest + "X-Tellerd: 1\r\nSec-Fetch-Site: same-site\r\n\r\n"), 403));
    CHECK(is_problem(reply_to(server, "POST" + rest + "X-Tellerd: 1\r\nSec-Fetch-Site: same-origin\r\n\r\n"), 405));
    CHECK(is_problem(reply_to(server, "POST" + rest + "X-Tellerd: 1\r\nContent-Length: 2\r\n\r\n{}"), 405));
  }

  TEST_CASE("a preflight from another origin gets no permission") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const auto reply =
        reply_to(server,
                 "OPTIONS /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n"
                 "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-tellerd\r\n\r\n");
    CHECK(is_problem(reply, 405));
    CHECK(header_fault(reply) == "");
    CHECK(header_fault(get(server, "/api/v1/status", "Origin: https://evil.example\r\n")) == "");
  }

  TEST_CASE("HEAD has the headers of GET and no body") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    for (const char* path : {"/", "/metrics", "/nothing"}) {
      const auto whole = get(server, path);
      const auto head = reply_to(server, std::string("HEAD ") + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      CHECK(head.status == whole.status);
      CHECK(head.body == "");
      CHECK(head.has("Content-Length: " + std::to_string(whole.body.size())));
    }
    const auto live = reply_to(server, "HEAD /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    CHECK(live.has("Content-Type: text/event-stream; charset=utf-8"));
  }

  TEST_CASE("only our own host names are answered for") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const auto with_host = [&server](const std::string& line) {
      return reply_to(server, "GET /api/v1/status HTTP/1.1\r\n" + line + "\r\n");
    };
    CHECK(with_host("Host: 127.0.0.1\r\n").status == 200);
    CHECK(with_host("Host: 127.0.0.1:8099\r\n").status == 200);
    CHECK(with_host("Host: LOCALHOST:1\r\n").status == 200);
    CHECK(with_host("Host: teller.branch.example\r\n").status == 200);
    for (const char* host :
         {"evil.example", "evil.example:8099", "127.0.0.1.evil.example", "x127.0.0.1", "127.0.0.1:", "127.0.0.1:80x",
          "127.0.0.1:123456", "127.0.0.1@evil.example", "teller.branch.example.", "0.0.0.0", "[::1]"}) {
      CHECK_MESSAGE(is_problem(with_host(std::string("Host: ") + host + "\r\n"), 421), host);
    }
    CHECK(is_problem(with_host(""), 421));
    CHECK(is_problem(with_host("Host: \r\n"), 421));
    CHECK(is_problem(with_host("Host: 127.0.0.1\r\nHost: evil.example\r\n"), 400));
    const auto absolute = reply_to(server, "GET http://evil.example/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    CHECK((absolute.status == 0 || absolute.status == 400));
  }

  TEST_CASE("a body whose end can be read in two ways is refused") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const auto with = [&server](const std::string& lines) { return get(server, "/healthz", lines); };
    CHECK(is_problem(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400));
    CHECK(is_problem(with("Transfer-Encoding: identity\r\nContent-Length: 0\r\n"), 400));
    CHECK(is_problem(with("Content-Length: 0\r\nContent-Length: 5\r\n"), 400));
    CHECK(is_problem(with("Content-Length: 0\r\nContent-Length: 0\r\n"), 400));
    CHECK(is_problem(with("Content-Length: 0, 5\r\n"), 400));
    CHECK(is_problem(with("Content-Length: 0x5\r\n"), 400));
    CHECK(is_problem(with("Content-Length: -1\r\n"), 411));
    CHECK(is_problem(with("Transfer-Encoding: chunked\r\n"), 411));
    CHECK(is_problem(with("Transfer-Encoding: gzip, chunked\r\n"), 400));
    CHECK(is_problem(with("Content-Length: 65537\r\n"), 413));
    CHECK(is_problem(with("Content-Length: 9223372036854775807\r\n"), 413));
    CHECK(with("Content-Length: 65536\r\n").status == 200);
  }

  TEST_CASE("a head is bounded in headers and bytes") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    CHECK(get(server, "/healthz", many_headers(31)).status == 200);
    CHECK(is_problem(get(server, "/healthz", many_headers(32)), 431));
    CHECK(is_problem(get(server, "/healthz", many_headers(300)), 431));
    CHECK(is_problem(get(server, "/healthz", "X: " + std::string(20'000, 'a') + "\r\n"), 400));
    CHECK(get(server, "/healthz", "X: " + std::string(7'000, 'a') + "\r\n").status == 200);
  }

  TEST_CASE("a path is taken literally: no NUL, no encoding, no climbing, no doubled slashes") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    CHECK(is_problem(get(server, "/healthz%00"), 400));
    CHECK(is_problem(get(server, "/healthz%00x"), 400));
    CHECK(is_problem(get(server, "/%68ealthz"), 400));
    CHECK(is_problem(get(server, "/%2e%2e/etc/passwd"), 400));
    CHECK(is_problem(get(server, "/../../etc/passwd"), 404));
    CHECK(is_problem(get(server, "/./healthz"), 404));
    CHECK(is_problem(get(server, "//healthz"), 404));
    CHECK(is_problem(get(server, "/healthz\\"), 404));
    CHECK(is_problem(get(server, "/" + std::string(8'000, '/')), 404));
    CHECK(is_problem(get(server, std::string(20'000, '/')), 400));
    std::string raw = "GET /healthz#x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    raw[raw.find('#')] = '\0';
    CHECK(reply_to(server, raw).status == 400);
    CHECK(is_problem(get(server, "/healthz?token=x"), 400));
  }

  TEST_CASE("an asset is sent again only when it changed") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const auto first = get(server, "/app.js");
    const auto begin = first.head.find("ETag: ") + 6;
    const auto tag = first.head.substr(begin, first.head.find('\r', begin) - begin);
    CHECK(tag.size() == 34);  // 128 bits in hex and the quotes
    const auto again = get(server, "/app.js", "If-None-Match: " + tag + "\r\n");
    CHECK(again.status == 304);
    CHECK(again.body == "");
    CHECK(again.has("ETag: " + tag));
    CHECK(header_fault(again) == "");
    CHECK(get(server, "/app.js", "If-None-Match: \"x\", W/" + tag + "\r\n").status == 304);
    CHECK(get(server, "/app.js", "If-None-Match: \"x\"\r\n").status == 200);
    CHECK(get(server, "/app.css", "If-None-Match: " + tag + "\r\n").status == 200);
  }

  TEST_CASE("what stands after the question mark is decoded once, each name once") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const auto sums = [&server](const std::string& query) { return get(server, "/api/v1/sums?" + query); };
    CHECK(get(server, "/api/v1/sums").body == "");
    CHECK(sums("b=2&a=%3C%3D50000").body == "a=<=50000;b=2;");
    CHECK(sums("a=%D0%90+b%2B").body == "a=А b+;");
    CHECK(sums("a=%2541").body == "a=%41;");
    CHECK(sums("a=").body == "a=;");
    for (const char* query : {"a", "a=1&a=2", "=1", "a=%", "a=%4", "a=%zz", "a=%00", "&a=1"})
      CHECK_MESSAGE(is_problem(sums(query), 400), query);
    std::string many = "n0=1";
    for (int n = 1; n < 32; ++n) many += "&n" + std::to_string(n) + "=1";
    CHECK(sums(many).status == 200);
    CHECK(is_problem(sums(many + "&n32=1"), 400));
    CHECK(get(server, "/api/v1/sums", "If-None-Match: \"sums\"\r\n").status == 304);
    CHECK(is_problem(get(server, "/api/v1/things/x?a=1", "Cookie: as=desk\r\n"), 400));
  }

  TEST_CASE("an address asks for its roles: nobody is told 401, another role 403, and the refusal is recorded") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    CHECK(is_problem(get(server, "/api/v1/things/x"), 401));
    CHECK(is_problem(get(server, "/api/v1/things/x", "Cookie: as=somebody\r\n"), 401));
    CHECK(fake.recorded == "");
    CHECK(get(server, "/api/v1/things/x/y", "Cookie: as=desk\r\n").body == "dan asked for x/y");
    CHECK(is_problem(get(server, "/api/v1/things/", "Cookie: as=desk\r\n"), 404));
    const auto look_up = [&server](const std::string& cookie, const std::string& body) {
      return reply_to(server, "POST /api/v1/customers/find HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tellerd: 1\r\nCookie: " +
                                  cookie + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    };
    CHECK(is_problem(look_up("", "17"), 401));
    CHECK(is_problem(look_up("as=desk", "17"), 403));
    CHECK(fake.recorded == "dan|ask||refused\n");
    fake.recorded.clear();
    CHECK(look_up("as=analyst", "17").body == "the story of 17");
    CHECK(fake.recorded == "ann|look up|17|shown\n");
  }

  TEST_CASE("a reading that cannot be recorded is not shown") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    fake.is_audit_broken = true;
    const auto reply = reply_to(server,
                                "POST /api/v1/customers/find HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tellerd: 1\r\nCookie: "
                                "as=analyst\r\nContent-Length: 2\r\n\r\n17");
    CHECK(is_problem(reply, 500));
    CHECK(reply.body.find("story") == std::string::npos);
  }

  TEST_CASE("a body that does not come whole within its time is 408, and a method that an address has not is 405") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const auto begin = Clock::now();
    CHECK(is_problem(reply_to(server,
                              "POST /api/v1/customers/find HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tellerd: 1\r\nCookie: "
                              "as=analyst\r\nContent-Length: 9\r\n\r\n17"),
                     408));
    CHECK(Clock::now() - begin < std::chrono::seconds(5));
    const auto reply = get(server, "/api/v1/customers/find", "Cookie: as=analyst\r\n");
    CHECK(is_problem(reply, 405));
    CHECK(reply.has("Allow: POST"));
  }

  TEST_CASE("a source that throws is a 500 that tells nothing of the inside") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    fake.is_broken = true;
    const auto reply = get(server, "/api/v1/status");
    CHECK(is_problem(reply, 500));
    CHECK(reply.body.find("secret") == std::string::npos);
    CHECK(get(server, "/healthz").status == 200);
  }

  TEST_CASE("a taken port and an address beyond the machine are faults with their own exit") {
    Fake fake;
    const Server server(any_port(), fake.sources());
    const auto exit_of = [&fake](const ServerConfig& config) {
      try {
        const Server other(config, fake.sources());
      } catch (const tellerd::core::Fault& fault) {
        return fault.exit_code();
      }
      return tellerd::core::Exit::kOk;
    };
    ServerConfig taken = any_port();
    taken.port = server.port();
    CHECK(exit_of(taken) == tellerd::core::Exit::kFailed);
    ServerConfig wide = any_port();
    wide.host = "0.0.0.0";
    CHECK(exit_of(wide) == tellerd::core::Exit::kConfig);
  }
}
