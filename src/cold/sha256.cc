#include "cold/sha256.h"

#include <openssl/evp.h>

#include <new>

namespace yarrow::cold {
namespace {

// libcrypto's SHA-256 has no way to fail but for want of memory.
void Check(bool done) {
  if (!done) throw std::bad_alloc();
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  Check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::Update(std::string_view bytes) {
  Check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  Check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  Check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  return digest;
}

Sha256Digest Sha256Of(std::string_view bytes) {
  Sha256 sha256;
  sha256.Update(bytes);
  return sha256.Finish();
}

std::string ToHex(const Sha256Digest& digest) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) text += {kHexDigits[byte >> 4], kHexDigits[byte & 15]};
  return text;
}

}  // namespace yarrow::cold
