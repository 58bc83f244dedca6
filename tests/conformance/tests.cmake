# SPDX-License-Identifier: Apache-2.0
# Conformance over the registries: one description per kind of plug-in.
file(GLOB parts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/conformance/*.cmake)
list(FILTER parts EXCLUDE REGEX "/tests\\.cmake$")
foreach(part ${parts})
  include(${part})
endforeach()
