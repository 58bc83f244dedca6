// SPDX-License-Identifier: Apache-2.0
/* Double-precision real FFT, own code because Debian's permissive FFT library is single precision
 * and FFTW is GPL. Oracle: the naive DFT in tests. */
#ifndef ISO_MATH_FFT_H
#define ISO_MATH_FFT_H

#include <stddef.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_fft iso_fft;
/* Smallest supported length >= n (products of 2, 3, 5 with an even factor). */
size_t iso_fft_good_size(size_t n);
iso_status iso_fft_new(size_t n, iso_fft **out, iso_error *err) ISO_MUST_CHECK;
void iso_fft_free(iso_fft *f);
/* x [n] real -> re, im [n/2+1]; unnormalised, forward sign -.  */
void iso_fft_forward(iso_fft *f, const double *x, double *re, double *im);
/* Inverse, divided by n. */
void iso_fft_inverse(iso_fft *f, const double *re, const double *im, double *x);

#ifdef __cplusplus
}
#endif

#endif
