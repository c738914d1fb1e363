# SPDX-License-Identifier: MIT OR Apache-2.0
#
# libllext.a, built by cargo, as the target llext::llext.
include_guard(GLOBAL)

find_program(CARGO cargo REQUIRED)
find_program(RUSTC rustc REQUIRED)

if(CMAKE_CROSSCOMPILING)
  set(target)
  set(features panic-handler,slid,shared,messages)
else()
  execute_process(COMMAND "${RUSTC}" --version --verbose OUTPUT_VARIABLE version COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCH "host: ([^\n]+)" _ "${version}")
  set(target "${CMAKE_MATCH_1}")
  set(features std,slid,shared,messages)
endif()
set(LLEXT_RUST_TARGET "${target}" CACHE STRING "The target of the library, as rustc names it: thumbv7m-none-eabi, ...")
set(LLEXT_FEATURES "${features}" CACHE STRING "Features of llext-capi: std for files and the process's own memory, shared for shared objects, messages for errors in words, lz4 for compressed files")
set(LLEXT_CARGO_FOLDER "${PROJECT_BINARY_DIR}/cargo" CACHE PATH "Where cargo builds it")
set(LLEXT_MAX_EXTENSIONS 16 CACHE STRING "How many extensions there can be at a time")
if(NOT LLEXT_RUST_TARGET)
  message(FATAL_ERROR "LLEXT_RUST_TARGET: not set (expected the target of the firmware, such as thumbv7m-none-eabi)")
endif()

if(LLEXT_FEATURES MATCHES "std")
  set(profile release)
else()
  set(profile capi)
endif()
set(LLEXT_LIBRARY "${PROJECT_BINARY_DIR}/libllext.a")
set(made "${LLEXT_CARGO_FOLDER}/${LLEXT_RUST_TARGET}/${profile}/libllext_capi.a")
# cargo knows what has changed.
add_custom_target(llext_library ALL
  COMMAND "${CMAKE_COMMAND}" -E env "CARGO_TARGET_DIR=${LLEXT_CARGO_FOLDER}" LLEXT_MAX_EXTENSIONS=${LLEXT_MAX_EXTENSIONS}
    "${CARGO}" rustc --package=llext-capi --crate-type=staticlib --target=${LLEXT_RUST_TARGET}
    --profile=${profile} --no-default-features --features=${LLEXT_FEATURES}
  COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${made}" "${LLEXT_LIBRARY}"
  BYPRODUCTS "${LLEXT_LIBRARY}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  USES_TERMINAL VERBATIM)

# What the standard library wants of the system, or where the exports of firmware are placed: a script among the options comes
# after those of the program's own options, and before those among its libraries.
if(LLEXT_FEATURES MATCHES "std")
  set(LLEXT_LINK_LIBRARIES -pthread -ldl -lm -lgcc_s)
  set(LLEXT_LINK_OPTIONS)
else()
  set(LLEXT_LINK_LIBRARIES)
  set(LLEXT_LINK_OPTIONS -Tllext.x)
endif()

add_library(llext STATIC IMPORTED GLOBAL)
add_library(llext::llext ALIAS llext)
add_dependencies(llext llext_library)
set_target_properties(llext PROPERTIES
  IMPORTED_LOCATION "${LLEXT_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/include"
  INTERFACE_LINK_DIRECTORIES "${PROJECT_SOURCE_DIR}/crates/llext"
  INTERFACE_LINK_OPTIONS "${LLEXT_LINK_OPTIONS}"
  INTERFACE_LINK_LIBRARIES "${LLEXT_LINK_LIBRARIES}")
