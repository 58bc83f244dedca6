# SPDX-License-Identifier: Apache-2.0
foreach(lint layering copied plugin_names banned headers cplusplus format)
  add_test(NAME lint_${lint} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/${lint}.sh ${CMAKE_SOURCE_DIR})
  set_tests_properties(lint_${lint} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
