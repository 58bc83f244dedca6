# SPDX-License-Identifier: Apache-2.0
# Builds with sanitizers are left out: emulated, they take minutes and do not start under valgrind.
if(TARGET isoeps AND NOT ISO_SANITIZE)
  add_test(NAME cli_same_bytes COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/same_bytes.sh
    $<TARGET_FILE:isoeps> $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR})
  set_tests_properties(cli_same_bytes PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1800)
endif()
if(TARGET isoeps)
  add_test(NAME cli_tasks COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/tasks.sh
    $<TARGET_FILE:isoeps> $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} none)
  set_tests_properties(cli_tasks PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
endif()
