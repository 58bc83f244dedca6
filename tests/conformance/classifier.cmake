# SPDX-License-Identifier: Apache-2.0
iso_test(conformance_classifier conformance/classifier.c iso_learn)
