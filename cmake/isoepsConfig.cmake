# SPDX-License-Identifier: Apache-2.0
# find_package(isoeps): the headers of the plug-in interface, as target isoeps::headers, and
#   isoeps_add_plugin(NAME SOURCE...)   a shared object for `isoeps --plugin`
get_filename_component(isoeps_prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ISOEPS_CJSON REQUIRED IMPORTED_TARGET libcjson)
if(NOT TARGET isoeps::headers)
  add_library(isoeps::headers INTERFACE IMPORTED)
  set_target_properties(isoeps::headers PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${isoeps_prefix}/include/isoeps
    INTERFACE_LINK_LIBRARIES PkgConfig::ISOEPS_CJSON)
endif()
function(isoeps_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE isoeps::headers)
  set_target_properties(${name} PROPERTIES PREFIX "")
endfunction()
unset(isoeps_prefix)
