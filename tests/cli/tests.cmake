# SPDX-License-Identifier: Apache-2.0
# The program as a user meets it.
if(TARGET isoeps)
  add_executable(iso_same cli/same.c)
  target_link_libraries(iso_same PRIVATE iso_io)
  add_library(iso_unruly MODULE cli/plugin_unruly.c)
  set_target_properties(iso_unruly PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  # The templates as a user would build them: copied, in a shared object.
  add_library(iso_templates MODULE cli/plugin_templates.c ${CMAKE_SOURCE_DIR}/metrics/template.c ${CMAKE_SOURCE_DIR}/attacks/template.c)
  set_target_properties(iso_templates PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  add_test(NAME cli_outputs COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/outputs.sh
    $<TARGET_FILE:isoeps> $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} $<TARGET_FILE:iso_templates>)
  set_tests_properties(cli_outputs PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
  add_library(iso_fail_write MODULE cli/fail_write.c)
  set_target_properties(iso_fail_write PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(iso_fail_write PRIVATE ${CMAKE_DL_LIBS})
  add_test(NAME cli_write_failure COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/write_failure.sh $<TARGET_FILE:isoeps>
    $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} $<TARGET_FILE:iso_fail_write>)
  set_tests_properties(cli_write_failure PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
  if(ISO_NIGHTLY)
    add_test(NAME nightly_kill_resume COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/kill_resume.sh $<TARGET_FILE:isoeps>
      $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR})
    set_tests_properties(nightly_kill_resume PROPERTIES TIMEOUT 7200 ENVIRONMENT "ISO_KILLS=1000")
    add_test(NAME nightly_write_failure COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/write_failure.sh $<TARGET_FILE:isoeps>
      $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} $<TARGET_FILE:iso_fail_write>)
    set_tests_properties(nightly_write_failure PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 7200 ENVIRONMENT "ISO_FAIL_POINTS=200")
  endif()
  # One method in two versions, for the tests of claims.
  add_library(iso_claims MODULE cli/plugin_claims.c)
  add_library(iso_claims_next MODULE cli/plugin_claims.c)
  target_compile_definitions(iso_claims_next PRIVATE CLAIMS_STEP=1)
  set_target_properties(iso_claims iso_claims_next PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  add_test(NAME cli_claims COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/claims.sh $<TARGET_FILE:isoeps>
    $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} $<TARGET_FILE:iso_claims> $<TARGET_FILE:iso_claims_next>)
  set_tests_properties(cli_claims PROPERTIES TIMEOUT 300)
  foreach(script compare install help dry_run readers doc_pages kill_resume shards isa bad_input unruly disk_full own_data verbs tools hostile judging mia_housing page doc_blocks tolerant other_programs external frozen code_rows slurm reference)
    add_test(NAME cli_${script} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/${script}.sh
      $<TARGET_FILE:isoeps> $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} $<TARGET_FILE:iso_unruly>)
    set_tests_properties(cli_${script} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
  endforeach()
  foreach(example bootstrap.py mixture.py mice.R)
    add_test(NAME cli_external_${example} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/external_packages.sh
      $<TARGET_FILE:isoeps> $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} $<TARGET_FILE:iso_unruly> ${example})
    set_tests_properties(cli_external_${example} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
  endforeach()
endif()
if(TARGET isoeps AND ISO_NIGHTLY)
  add_test(NAME cli_newcomer COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/newcomer.sh $<TARGET_FILE:isoeps>
    $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR})
  set_tests_properties(cli_newcomer PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
endif()
foreach(stem private_schema nearest controls suite_file record referee games keys advantage)
  iso_test(cli_${stem} cli/${stem}.c iso_suites)
endforeach()
include(${CMAKE_CURRENT_SOURCE_DIR}/cli/same_bytes.cmake)
# The gate and audits, with the method of the tests of claims and a version of it that leaks.
if(TARGET isoeps)
  add_library(iso_claims_leak MODULE cli/plugin_claims.c)
  target_compile_definitions(iso_claims_leak PRIVATE CLAIMS_LEAK=1)
  set_target_properties(iso_claims_leak PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  foreach(script gate audits)
    add_test(NAME cli_${script} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli/${script}.sh $<TARGET_FILE:isoeps>
      $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} $<TARGET_FILE:iso_claims> $<TARGET_FILE:iso_claims_leak>)
    set_tests_properties(cli_${script} PROPERTIES TIMEOUT 300)
  endforeach()
endif()
if(ISO_NIGHTLY AND TARGET isoeps)
  foreach(data adult mnist)
    add_test(NAME nightly_gan_${data} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/nightly/gan_acceptance.sh
      $<TARGET_FILE:isoeps> $<TARGET_FILE:iso_same> ${CMAKE_SOURCE_DIR} ${data})
    set_tests_properties(nightly_gan_${data} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 14400)
  endforeach()
endif()
