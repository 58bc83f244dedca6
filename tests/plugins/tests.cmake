# SPDX-License-Identifier: Apache-2.0
# Test-only plug-ins: generators with a seeded bug each, bugs of the core put in by the linker, and one rogue.
iso_test(plugins_mutants plugins/mutants.c iso_flow)
iso_test(plugins_audit plugins/audit.c iso_flow)
iso_test(plugins_zoo plugins/zoo.c iso_flow)
iso_test(plugins_pate_audit plugins/pate_audit.c iso_flow)
target_link_options(test_plugins_pate_audit PRIVATE -Wl,--wrap=iso_federation_deal -Wl,--wrap=iso_mech_votes)
foreach(program mutants audit zoo pate_audit)
  target_sources(test_plugins_${program} PRIVATE plugins/toy.c plugins/toy_pate.c plugins/toy_published.c plugins/core_mutants.c plugins/fixture.c)
endforeach()
foreach(symbol iso_release_key_of iso_noise_add_gaussian iso_noise_add_gaussian_f32 iso_noise_add_laplace iso_rand_poisson iso_calibrate
    iso_release_begin)
  target_link_options(test_plugins_mutants PRIVATE -Wl,--wrap=${symbol})
  target_link_options(test_plugins_audit PRIVATE -Wl,--wrap=${symbol})
  target_link_options(test_plugins_zoo PRIVATE -Wl,--wrap=${symbol})
  target_link_options(test_plugins_pate_audit PRIVATE -Wl,--wrap=${symbol})
endforeach()

if(ISO_NIGHTLY)
  target_compile_definitions(test_plugins_audit PRIVATE ISO_NIGHTLY)
  set_tests_properties(plugins_audit PROPERTIES TIMEOUT 7200)
endif()

# The rogue is a shared object; the test program offers it every symbol of the libraries, as isoeps does.
add_library(rogue MODULE plugins/rogue.c)
iso_test(plugins_rogues plugins/rogues.c -Wl,--whole-archive iso_flow iso_generators iso_learn iso_nn iso_data iso_io iso_privacy
  iso_rand iso_math iso_base -Wl,--no-whole-archive)
target_sources(test_plugins_rogues PRIVATE plugins/fixture.c)
set_target_properties(test_plugins_rogues PROPERTIES ENABLE_EXPORTS ON)
target_compile_definitions(test_plugins_rogues PRIVATE ROGUE_PATH="$<TARGET_FILE:rogue>")
add_dependencies(test_plugins_rogues rogue)

iso_test(plugins_verify plugins/verify.c iso_flow)
target_sources(test_plugins_verify PRIVATE plugins/fixture.c)
iso_test(plugins_leaks plugins/leaks.c iso_flow)
target_sources(test_plugins_leaks PRIVATE plugins/fixture.c)
if(TARGET isoeps)
  add_test(NAME plugins_verify_cli COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/plugins/verify.sh $<TARGET_FILE:isoeps>
    ${CMAKE_SOURCE_DIR})
  set_tests_properties(plugins_verify_cli PROPERTIES TIMEOUT 1200)
endif()
