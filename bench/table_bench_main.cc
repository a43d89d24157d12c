// The main program of benchmarks over tables: closes them before the statics of RocksDB go.
#include <benchmark/benchmark.h>

#include "bench_table.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  yarrow::bench::CloseTables();
  return 0;
}
