# SPDX-License-Identifier: Apache-2.0
# Metrics beside golden values, closed forms and tables that are counted by hand.
foreach(stem separability fidelity tasks scenarios)
  iso_test(oracle_metric_${stem} oracle/metric_${stem}.c iso_metrics)
  target_sources(test_oracle_metric_${stem} PRIVATE oracle/metric_support.c)
endforeach()
