// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace yarrow::cold {

using Sha256Digest = std::array<uint8_t, 32>;

// Of bytes that come piece by piece. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  void Update(std::string_view bytes);
  Sha256Digest Finish();  // and start again

 private:
  std::shared_ptr<evp_md_ctx_st> context_;
};

Sha256Digest Sha256Of(std::string_view bytes);
std::string ToHex(const Sha256Digest& digest);  // lower case, as sha256sum prints it

}  // namespace yarrow::cold
