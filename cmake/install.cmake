# SPDX-License-Identifier: MIT OR Apache-2.0
#
# `cmake --install`: library, headers, and what tells CMake and pkg-config where they are.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/llext")
string(JOIN " " LLEXT_PRIVATE_LIBRARIES ${LLEXT_LINK_LIBRARIES} ${LLEXT_LINK_OPTIONS})
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/llext-config.cmake.in"
  "${PROJECT_BINARY_DIR}/llext-config.cmake" INSTALL_DESTINATION "${package}"
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/llext-config-version.cmake" COMPATIBILITY SameMinorVersion)
configure_file("${PROJECT_SOURCE_DIR}/cmake/llext.pc.in" "${PROJECT_BINARY_DIR}/llext.pc" @ONLY)

install(FILES "${LLEXT_LIBRARY}" "${PROJECT_SOURCE_DIR}/crates/llext/llext.x" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_BINARY_DIR}/llext-config.cmake" "${PROJECT_BINARY_DIR}/llext-config-version.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/extension.cmake" DESTINATION "${package}")
install(FILES "${PROJECT_BINARY_DIR}/llext.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
