// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"

#include <sys/resource.h>
#include <time.h>

static double seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double iso_clock_wall(void)
{
	return seconds(CLOCK_MONOTONIC);
}

double iso_clock_cpu(void)
{
	return seconds(CLOCK_THREAD_CPUTIME_ID);
}

double iso_clock_epoch(void)
{
	return seconds(CLOCK_REALTIME);
}

size_t iso_peak_memory(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (size_t)u.ru_maxrss * 1024;
}
