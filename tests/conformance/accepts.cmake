# SPDX-License-Identifier: Apache-2.0
iso_test(conformance_accepts conformance/accepts.c iso_generators)
