// CountingStream: an input stream that tells how far it has been read.
#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace yarrow::cli {

// Bytes read from a file, or from several one after the other. The counter may be read from any thread.
using ByteCount = std::atomic<int64_t>;

// `count` must outlive the stream.
class CountingStream : public arrow::io::InputStream {
 public:
  CountingStream(std::shared_ptr<arrow::io::InputStream> stream, ByteCount* count)
      : stream_(std::move(stream)), count_(count) {}

  arrow::Status Close() override { return stream_->Close(); }
  arrow::Result<int64_t> Tell() const override { return stream_->Tell(); }
  bool closed() const override { return stream_->closed(); }

  arrow::Result<int64_t> Read(int64_t size, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, stream_->Read(size, out));
    *count_ += got;
    return got;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, stream_->Read(size));
    *count_ += buffer->size();
    return buffer;
  }

 private:
  const std::shared_ptr<arrow::io::InputStream> stream_;
  ByteCount* const count_;
};

}  // namespace yarrow::cli
