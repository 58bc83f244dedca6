# SPDX-License-Identifier: Apache-2.0
iso_test(conformance_attack conformance/attack.c iso_attacks iso_learn)
target_sources(test_conformance_attack PRIVATE ${CMAKE_SOURCE_DIR}/attacks/template.c)
