# Finds libtorch and defines affiche::torch.
#
# Torch's own TorchConfig.cmake stops when a CUDA build is used without a CUDA toolkit. We need only
# the libraries, so this module links what lies beside libtorch.so and asks for nothing else.
#   Torch_DIR   folder of TorchConfig.cmake, or the torch folder itself; empty: .deps/ of the checkout
set(Torch_DIR "" CACHE PATH "where libtorch is; empty: .deps, as scripts/setup leaves it")
set(_candidates ${Torch_DIR} ${Torch_DIR}/../../.. $ENV{Torch_DIR} $ENV{Torch_DIR}/../../..
    ${CMAKE_SOURCE_DIR}/.deps/site/torch)
foreach(_candidate ${_candidates})
  if(EXISTS ${_candidate}/lib/libtorch.so AND EXISTS ${_candidate}/include/torch/torch.h OR
     EXISTS ${_candidate}/lib/libtorch.so AND EXISTS ${_candidate}/include/torch/csrc)
    get_filename_component(AFFICHE_TORCH_ROOT ${_candidate} ABSOLUTE)
    break()
  endif()
endforeach()
if(NOT AFFICHE_TORCH_ROOT)
  message(FATAL_ERROR "libtorch not found in: ${_candidates}. Run scripts/setup, or set Torch_DIR.")
endif()

add_library(affiche_torch INTERFACE)
add_library(affiche::torch ALIAS affiche_torch)
target_include_directories(affiche_torch SYSTEM INTERFACE
  ${AFFICHE_TORCH_ROOT}/include ${AFFICHE_TORCH_ROOT}/include/torch/csrc/api/include)
target_link_directories(affiche_torch INTERFACE ${AFFICHE_TORCH_ROOT}/lib)
target_link_libraries(affiche_torch INTERFACE torch torch_cpu c10 Threads::Threads)
target_link_options(affiche_torch INTERFACE -Wl,-rpath,${AFFICHE_TORCH_ROOT}/lib)
if(EXISTS ${AFFICHE_TORCH_ROOT}/lib/libtorch_cuda.so)
  # Registration of the CUDA back end happens in static initialisers: keep the library although
  # no symbol of it is named. NVIDIA's own libraries lie in sibling packages of the torch package.
  file(GLOB _nvidia ${AFFICHE_TORCH_ROOT}/../nvidia/*/lib)
  foreach(_folder ${_nvidia})
    target_link_options(affiche_torch INTERFACE -Wl,-rpath,${_folder} -Wl,-rpath-link,${_folder})
  endforeach()
  target_link_options(affiche_torch INTERFACE
    -Wl,--no-as-needed ${AFFICHE_TORCH_ROOT}/lib/libtorch_cuda.so ${AFFICHE_TORCH_ROOT}/lib/libc10_cuda.so
    -Wl,--as-needed -Wl,--allow-shlib-undefined)
endif()
message(STATUS "libtorch: ${AFFICHE_TORCH_ROOT}")
