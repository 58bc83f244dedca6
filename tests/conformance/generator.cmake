# SPDX-License-Identifier: Apache-2.0
# One CTest case per registered generator and check.  The names are read from the descriptors in generators/*.c.
add_executable(test_conformance_generator conformance/generator.c plugins/fixture.c)
target_link_libraries(test_conformance_generator PRIVATE iso_testkit iso_flow)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/generators/*.c)
add_executable(test_conformance_learn conformance/learn.c)
target_link_libraries(test_conformance_learn PRIVATE iso_testkit iso_flow)
foreach(source ${sources})
  file(STRINGS ${source} found REGEX "^const iso_generator iso_generator_[a-z0-9_]+ = {")
  get_filename_component(stem ${source} NAME_WE)
  if(NOT found OR stem STREQUAL "template")
    continue()
  endif()
  string(REPLACE "_" "-" name ${stem})
  foreach(check determinism rows prefix table ledger options resolve verify budget destroy load slots degenerate memory)
    add_test(NAME conformance_generator_${name}_${check} COMMAND test_conformance_generator
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(conformance_generator_${name}_${check} PROPERTIES TIMEOUT 600
      ENVIRONMENT "ISO_GENERATOR=${name};CK_RUN_CASE=${check};CK_DEFAULT_TIMEOUT=600")
  endforeach()
  file(STRINGS ${source} learns REGEX "ISO_LATENT_SLOTS|ISO_GAN_SLOTS|ISO_VAE_SLOTS|ISO_CODED_SLOTS")
  if(learns)
    add_test(NAME conformance_learn_${name} COMMAND test_conformance_learn)
    set_tests_properties(conformance_learn_${name} PROPERTIES TIMEOUT 600
      ENVIRONMENT "ISO_GENERATOR=${name}")
  endif()
endforeach()
