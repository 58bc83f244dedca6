# SPDX-License-Identifier: Apache-2.0
iso_test(conformance_noise_key conformance/noise_key.c iso_flow)
target_sources(test_conformance_noise_key PRIVATE plugins/fixture.c)
