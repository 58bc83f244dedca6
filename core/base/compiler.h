// SPDX-License-Identifier: Apache-2.0
/* Attributes: promises that the compiler checks. */
#ifndef ISO_BASE_COMPILER_H
#define ISO_BASE_COMPILER_H

#define ISO_MUST_CHECK __attribute__((warn_unused_result))
#define ISO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ISO_UNUSED __attribute__((unused))
#define ISO_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
