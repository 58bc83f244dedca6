# SPDX-License-Identifier: Apache-2.0
iso_test(oracle_attacks oracle/attacks.c iso_attacks iso_learn)
