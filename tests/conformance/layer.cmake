# SPDX-License-Identifier: Apache-2.0
iso_test(conformance_layer conformance/layer.c iso_nn)
