# SPDX-License-Identifier: Apache-2.0
# The program as a user meets it.
if(TARGET isoeps)
  add_executable(iso_same cli/same.c)
  target_link_libraries(iso_same PRIVATE iso_io)
  foreach(script kill_resume shards)
    add_test(NAME cli_${script} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/${script}.sh
      $<TARGET_FILE:isoeps> $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR})
    set_tests_properties(cli_${script} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
  endforeach()
endif()
