// SPDX-License-Identifier: Apache-2.0
// A server with a certificate that nobody signed.
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <thread>

#include "catch.h"
#include "net/http.h"
#include "net/retry.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::net;

namespace {

struct Certificate {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> x509{X509_new(), &X509_free};
  Certificate() {
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    X509_set_pubkey(x509.get(), key.get());
    X509_NAME* name = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), name);
    X509_sign(x509.get(), key.get(), EVP_sha256());
  }
};

}  // namespace

TEST_CASE("a certificate that nobody signed is refused at once", "[net]") {
  Certificate certificate;
  httplib::SSLServer server(certificate.x509.get(), certificate.key.get());
  REQUIRE(server.is_valid());
  int asked = 0;
  server.Get("/", [&](const httplib::Request&, httplib::Response&) { ++asked; });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();

  Client client({"affiche/test", ""});
  Request request;
  request.url = "https://localhost:" + std::to_string(port) + "/";
  request.reach = Reach::Named;
  request.token = "secret";
  Response response;
  const std::string error = test::thrown([&] { get_text(client, request, {}, response); });
  server.stop();
  thread.join();
  INFO(error);
  CHECK(test::contains(error, "refused: https://localhost:"));
  CHECK(test::contains(error, "certificate"));
  CHECK(asked == 0);
}
