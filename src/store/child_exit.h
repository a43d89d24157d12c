// How a forked child ends that calls exit().
#pragma once

namespace yarrow {

// Called when RocksDB has opened a store. RocksDB's static objects have condition variables that its threads wait on,
// also when all stores are closed; in a forked child, where these threads are not, destroying or signalling one waits
// for ever. So exit() in a child runs what was registered after this call, destroys the static objects of this program
// (or shared library), flushes streams, and ends; what other libraries registered before is not run.
void EndForkedChildrenAtExit();

}  // namespace yarrow
