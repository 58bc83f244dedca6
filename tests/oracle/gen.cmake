# SPDX-License-Identifier: Apache-2.0
# The generators beside their oracles.
foreach(stem
    3dgl
    heads vae decode marginals gan gan_family gan_groups mst
    dp_em coded dpa dpgm augm privae ae_family obfuscate direct
    graph privbayes aim merf copula modern)
  iso_test(oracle_gen_${stem} oracle/gen_${stem}.c iso_flow)
  target_sources(test_oracle_gen_${stem} PRIVATE oracle/gen_support.c plugins/fixture.c)
endforeach()
target_link_libraries(test_oracle_gen_direct PRIVATE iso_metrics)
target_sources(test_oracle_gen_marginals PRIVATE ${CMAKE_SOURCE_DIR}/generators/template.c)
iso_test(oracle_audit oracle/audit.c iso_flow)
if(ISO_NIGHTLY)
  add_test(NAME oracle_gen_ae_family_nightly COMMAND test_oracle_gen_ae_family
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(oracle_gen_ae_family_nightly PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 14400
    ENVIRONMENT "CK_RUN_CASE=nightly;CK_DEFAULT_TIMEOUT=14400")
endif()
