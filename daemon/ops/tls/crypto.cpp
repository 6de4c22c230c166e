// Stands for libcrypto.so: what it needs brings libcrypto.so.3 in. See ssl.cpp.
extern "C" {
extern const int tellerd_tls_names;
const int tellerd_tls_names = 1;
}
