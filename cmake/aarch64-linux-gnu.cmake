# SPDX-License-Identifier: Apache-2.0
# Cross-compiling for 64-bit ARM on Debian; tests run under qemu-user.
#
#   dpkg --add-architecture arm64 && apt-get update
#   apt-get install gcc-aarch64-linux-gnu qemu-user libc6-dev-arm64-cross \
#     {libssl,libcjson,libcsv,zlib1g,libopenblas}-dev:arm64 check:arm64
#   cmake -S . -B build-arm64 -G Ninja --toolchain cmake/aarch64-linux-gnu.cmake
#   cmake --build build-arm64 && ctest --test-dir build-arm64 -R '^(base|math|rand|privacy|io|data|nn|learn)_'
#
# ISO_ARM64_ROOT names a directory into which the arm64 packages were unpacked, where they cannot be installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ISO_ARM64_ROOT)
set(libraries ${ISO_ARM64_ROOT}/usr/lib/aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu
  -E LD_LIBRARY_PATH=${libraries}:${libraries}/openblas-pthread)
set(CMAKE_FIND_ROOT_PATH ${ISO_ARM64_ROOT}/)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig:${libraries}/openblas-pthread/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${ISO_ARM64_ROOT}")
if(ISO_ARM64_ROOT)
  set(CMAKE_C_FLAGS_INIT "-isystem ${ISO_ARM64_ROOT}/usr/include/aarch64-linux-gnu -isystem ${ISO_ARM64_ROOT}/usr/include")
  set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
  set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${libraries}:${libraries}/openblas-pthread")
endif()
