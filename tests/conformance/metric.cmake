# SPDX-License-Identifier: Apache-2.0
iso_test(conformance_metric conformance/metric.c iso_metrics iso_learn)
target_sources(test_conformance_metric PRIVATE ${CMAKE_SOURCE_DIR}/metrics/template.c)
