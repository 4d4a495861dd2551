# Linked privately by our own targets only: the headers of others are system headers.
add_library(affiche_warnings INTERFACE)
target_compile_options(affiche_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough -Wnull-dereference)
# GCC 12 reports inlined standard containers and strings falsely under these at -O2.
target_compile_options(affiche_warnings INTERFACE -Wno-null-dereference
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-restrict>)
if(AFFICHE_WERROR)
  target_compile_options(affiche_warnings INTERFACE -Werror)
endif()
