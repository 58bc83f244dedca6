# SPDX-License-Identifier: Apache-2.0
foreach(lint layering banned headers)
  add_test(NAME lint_${lint} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/${lint}.sh ${CMAKE_SOURCE_DIR})
endforeach()
