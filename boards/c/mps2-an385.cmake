# SPDX-License-Identifier: MIT OR Apache-2.0
#
# A toolchain file for CMake: GNU's compiler for a Cortex-M3 without an operating system, and what rustc calls that.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m3 -mthumb")
# There is no start-up code for a trial program.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(LLEXT_RUST_TARGET thumbv7m-none-eabi CACHE STRING "The target of the library, as rustc names it")
