#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "support/cut_vfs.h"

int main(int count, char** words) {
  tellerd::tests::lay_disk();
  return doctest::Context(count, words).run();
}
