// SPDX-License-Identifier: Apache-2.0
/* Training cells as processes: two at once against one alone, and the resident memory of one.  Each
 * child is this program again, so that its memory is its own. */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "core/base/clock.h"

#define SECONDS 0.7

/* what: "cpu:N" = steps per second on that core, wall time; "memory" = peak resident MB after 50
 * steps. */
int bench_cell_main(const char *what)
{
	bench_cell *c;
	double t, n = 0;
	int cpu = -1;

	if (sscanf(what, "cpu:%d", &cpu) == 1) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	c = bench_cell_new();
	if (!c || bench.failed)
		return 4;
	for (n = 0; n < 50; n++)
		bench_cell_step(c);
	if (cpu < 0) {
		printf("%.3f\n", (double)iso_peak_memory() * 1e-6);
	} else {
		t = iso_clock_wall();
		for (n = 0; iso_clock_wall() - t < SECONDS; n++)
			bench_cell_step(c);
		printf("%.3f\n", n / (iso_clock_wall() - t));
	}
	bench_cell_free(c);
	return 0;
}

typedef struct child {
	pid_t pid;
	int from;
} child;

static child start(char **argv, const char *what)
{
	child c = {-1, -1};
	int fd[2];

	if (pipe(fd) != 0)
		return c;
	c.pid = fork();
	if (c.pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		close(fd[0]);
		close(fd[1]);
		execl("/proc/self/exe", argv[0], "--cell", what, (char *)NULL);
		_exit(4);
	}
	close(fd[1]);
	c.from = fd[0];
	return c;
}

/* The number that the child printed, NaN if it failed. */
static double finish(child c)
{
	char text[64] = "";
	ssize_t n;
	int status = 1;

	if (c.pid < 0)
		return NAN;
	n = read(c.from, text, sizeof(text) - 1);
	close(c.from);
	waitpid(c.pid, &status, 0);
	return n > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? strtod(text, NULL) : NAN;
}

/* The two cores to use: the first two of our own affinity mask. */
static int two_cores(int cpu[2])
{
	cpu_set_t set;
	int i, n = 0;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	return n == 2;
}

void bench_cells(char **argv)
{
	const size_t rounds = bench.rounds > 20 ? 5 : 2;
	double ratio[8], alone[2], both[2];
	char name[2][32];
	int cpu[2], i;
	bench_stat s;
	size_t r;

	bench_put("cell_rss_mb", finish(start(argv, "memory")));
	if (!two_cores(cpu)) {
		bench_put("two_cells_over_one", NAN);
		bench_say("cells: one core only\n");
		return;
	}
	for (i = 0; i < 2; i++)
		snprintf(name[i], sizeof(name[i]), "cpu:%d", cpu[i]);
	for (r = 0; r < rounds; r++) {
		child c[2];

		for (i = 0; i < 2; i++)
			alone[i] = finish(start(argv, name[i]));
		for (i = 0; i < 2; i++)
			c[i] = start(argv, name[i]);
		for (i = 0; i < 2; i++)
			both[i] = finish(c[i]);
		ratio[r] = (both[0] + both[1]) / (0.5 * (alone[0] + alone[1]));
	}
	s = bench_stat_of(ratio, rounds);
	bench_put("two_cells_over_one", s.median);
	bench_detail("two_cells_over_one", s, 1);
	bench_say("cells: two at once do %.2f times the work of one (goal 1.9); resident memory of "
		  "one %.1f MB (goal 40)\n",
		  s.median, cJSON_GetObjectItem(bench.out, "cell_rss_mb")->valuedouble);
}
