# Compiler flags of every target of ours: warnings are errors, and the sanitizers of the preset.
add_library(yarrow_warnings INTERFACE)
target_compile_options(yarrow_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wunused-result
  -Wno-pedantic-ms-format
  # GCC 12: false positives where it inlines std::string and std::string_view
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>)
if(YARROW_SANITIZE)
  # What the sanitizers insert hides from GCC that a value is set; its manual says so.
  target_compile_options(yarrow_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_compile_options(-fsanitize=${YARROW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${YARROW_SANITIZE})
  if(YARROW_SANITIZE MATCHES undefined AND NOT YARROW_ALL_CHECKS)
    # Half of the time to compile goes to these. AddressSanitizer sees most of what they see; `scripts/soak` has them all.
    add_compile_options(-fno-sanitize=alignment,null,object-size,pointer-overflow,vptr)
  endif()
endif()
