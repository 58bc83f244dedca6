# SPDX-License-Identifier: Apache-2.0
# One description per subject.
file(GLOB parts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/oracle/*.cmake)
list(FILTER parts EXCLUDE REGEX "/tests\\.cmake$")
foreach(part ${parts})
  include(${part})
endforeach()
