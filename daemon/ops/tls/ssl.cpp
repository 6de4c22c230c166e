// Stands for libssl.so, the name by which CivetWeb 1.15 looks for OpenSSL: Debian has it under that name only in a
// development package, and OpenSSL 3 has renamed the one function below (CivetWeb issue 1334).
extern "C" {
struct ssl_st;
struct x509_st;
x509_st* SSL_get1_peer_certificate(const ssl_st* ssl);
x509_st* SSL_get_peer_certificate(const ssl_st* ssl) { return SSL_get1_peer_certificate(ssl); }
}
