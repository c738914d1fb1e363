# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Extensions built by CMake, with the functions that Zephyr's LLEXT has for it:
#
#     add_llext_target(hello OUTPUT ${CMAKE_BINARY_DIR}/hello.llext SOURCES hello.c)
#     llext_compile_definitions(hello GREETING="hello")
#
# The target `hello` makes the file. It has the properties lib_target (what is compiled), lib_output (as it was linked),
# pkg_input (what is packed) and pkg_output (the extension).
include_guard(GLOBAL)
include(CheckCCompilerFlag)

set(LLEXT_TYPE "RELOCATABLE" CACHE STRING "What extensions are: OBJECT, RELOCATABLE or SHAREDLIB")
set_property(CACHE LLEXT_TYPE PROPERTY STRINGS OBJECT RELOCATABLE SHAREDLIB)
option(LLEXT_SLIDS "Let extensions name the host's symbols by SLIDs, as `cargo llext slid` writes them" OFF)
set(LLEXT_INCLUDE_DIR "${CMAKE_CURRENT_LIST_DIR}/../include" CACHE PATH "Where llext/extension.h lies")

# add_llext_target(TARGET OUTPUT FILE SOURCES FILE...)
function(add_llext_target target)
  cmake_parse_arguments(PARSE_ARGV 1 own "" "OUTPUT" "SOURCES")
  if(NOT own_OUTPUT OR NOT own_SOURCES OR own_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_llext_target(${target}): expected OUTPUT FILE SOURCES FILE...")
  endif()
  get_filename_component(output "${own_OUTPUT}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  set(library ${target}_llext_lib)
  list(LENGTH own_SOURCES sources)
  if(LLEXT_TYPE STREQUAL "OBJECT" AND sources EQUAL 1)
    add_library(${library} OBJECT ${own_SOURCES})
    set(linked "$<TARGET_OBJECTS:${library}>")
  elseif(LLEXT_TYPE MATCHES "^(OBJECT|RELOCATABLE|SHAREDLIB)$")
    # An executable to CMake, which knows no other file that is linked wherever there is no operating system.
    add_executable(${library} EXCLUDE_FROM_ALL ${own_SOURCES})
    set_target_properties(${library} PROPERTIES SUFFIX ".elf" OUTPUT_NAME ${library} LINK_FLAGS "" POSITION_INDEPENDENT_CODE OFF)
    _llext_link_as(${library})
    set(linked "$<TARGET_FILE:${library}>")
  else()
    message(FATAL_ERROR "LLEXT_TYPE: found ${LLEXT_TYPE}, expected OBJECT, RELOCATABLE or SHAREDLIB")
  endif()
  _llext_compile_for(${library})
  add_custom_target(${target} ALL DEPENDS "${output}")
  set_target_properties(${target} PROPERTIES
    lib_target ${library}
    lib_output "${linked}"
    pkg_input "${CMAKE_CURRENT_BINARY_DIR}/${target}.pkg_input"
    pkg_output "${output}")
  # Commands may still be added to it, until this folder's list has been read.
  cmake_language(EVAL CODE "cmake_language(DEFER CALL _llext_pack [[${target}]])")
endfunction()

# How what was compiled becomes one file.
function(_llext_link_as library)
  target_link_options(${library} PRIVATE -nostdlib)
  if(LLEXT_TYPE STREQUAL "SHAREDLIB")
    target_link_options(${library} PRIVATE -shared)
  else()
    # Position-independent executables are the default of many compilers, and no kind of relocatable file.
    target_link_options(${library} PRIVATE -r -no-pie)
  endif()
endfunction()

# Options that every extension has. Where addresses have 64 bits, code that is bound to its place would have to lie in the
# lowest 2 GiB; where they have 32, it is smaller and faster.
function(_llext_compile_for library)
  if(LLEXT_TYPE STREQUAL "SHAREDLIB" OR CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(options -fPIC)
  else()
    set(options -fno-pic -fno-pie)
  endif()
  # RISC-V: a loader neither shortens code nor knows the host's global pointer.
  foreach(option IN ITEMS -mno-relax -msmall-data-limit=0)
    string(MAKE_C_IDENTIFIER "LLEXT_HAS${option}" known)
    check_c_compiler_flag(${option} ${known})
    if(${known})
      list(APPEND options ${option})
    endif()
  endforeach()
  target_compile_options(${library} PRIVATE ${options})
  target_compile_definitions(${library} PRIVATE LL_EXTENSION_BUILD)
  target_include_directories(${library} PRIVATE "${LLEXT_INCLUDE_DIR}")
  # Where a build system has a target with the options of all code, as Zephyr has: what concerns its compiler.
  if(LLEXT_EXTENSION_INTERFACE)
    set(all ${LLEXT_EXTENSION_INTERFACE})
    target_compile_options(${library} PRIVATE $<TARGET_PROPERTY:${all},INTERFACE_COMPILE_OPTIONS>)
    target_compile_definitions(${library} PRIVATE $<TARGET_PROPERTY:${all},INTERFACE_COMPILE_DEFINITIONS>)
    target_include_directories(${library} PRIVATE $<TARGET_PROPERTY:${all},INTERFACE_INCLUDE_DIRECTORIES>)
  endif()
endfunction()

# What makes the extension of what was linked: commands after the build, the strip, SLIDs, commands after the packing.
function(_llext_pack target)
  foreach(property IN ITEMS lib_target lib_output pkg_input pkg_output post_build post_pkg)
    get_target_property(${property} ${target} ${property})
    if(${property} MATCHES "-NOTFOUND$")
      set(${property})
    endif()
  endforeach()
  set(slid)
  if(LLEXT_SLIDS)
    find_program(CARGO_LLEXT cargo-llext REQUIRED)
    set(slid COMMAND "${CARGO_LLEXT}" llext slid "${pkg_output}")
  endif()
  # What is needed only for debugging goes, and so do names that no relocation needs.
  add_custom_command(
    OUTPUT "${pkg_output}"
    COMMAND "${CMAKE_COMMAND}" -E copy "${lib_output}" "${pkg_input}"
    ${post_build}
    COMMAND "${CMAKE_OBJCOPY}" --strip-unneeded --remove-section=.comment "${pkg_input}" "${pkg_output}"
    ${slid}
    ${post_pkg}
    DEPENDS ${lib_target} "${lib_output}"
    COMMENT "Packing extension ${target}"
    VERBATIM COMMAND_EXPAND_LISTS)
endfunction()

# add_llext_command(TARGET NAME PRE_BUILD|POST_BUILD|POST_PKG COMMAND ...): commands before it is compiled, between
# lib_output and pkg_input (which then begins as a copy), or on pkg_output.
function(add_llext_command)
  cmake_parse_arguments(PARSE_ARGV 0 own "PRE_BUILD;POST_BUILD;POST_PKG" "TARGET" "")
  get_target_property(library ${own_TARGET} lib_target)
  if(own_PRE_BUILD)
    set(before ${own_TARGET}_llext_pre)
    if(NOT TARGET ${before})
      add_custom_target(${before})
      add_dependencies(${library} ${before})
    endif()
    add_custom_command(TARGET ${before} POST_BUILD ${own_UNPARSED_ARGUMENTS} VERBATIM)
  elseif(own_POST_BUILD)
    set_property(TARGET ${own_TARGET} APPEND PROPERTY post_build ${own_UNPARSED_ARGUMENTS})
  elseif(own_POST_PKG)
    set_property(TARGET ${own_TARGET} APPEND PROPERTY post_pkg ${own_UNPARSED_ARGUMENTS})
  else()
    message(FATAL_ERROR "add_llext_command(${own_TARGET}): expected PRE_BUILD, POST_BUILD or POST_PKG")
  endif()
endfunction()

# The target_... commands, for an extension.
function(llext_compile_definitions target)
  target_compile_definitions(${target}_llext_lib PRIVATE ${ARGN})
endfunction()

function(llext_compile_features target)
  target_compile_features(${target}_llext_lib PRIVATE ${ARGN})
endfunction()

function(llext_compile_options target)
  target_compile_options(${target}_llext_lib PRIVATE ${ARGN})
endfunction()

function(llext_include_directories target)
  target_include_directories(${target}_llext_lib PRIVATE ${ARGN})
endfunction()

function(llext_link_options target)
  target_link_options(${target}_llext_lib PRIVATE ${ARGN})
endfunction()
