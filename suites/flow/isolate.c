// SPDX-License-Identifier: Apache-2.0
#include "suites/flow/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"

#define SAID_MAX ((size_t)64 * 1024)
#define PIPE_FD 3

/* ------------------------------------------------------------------ the filter */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* Calls that leave the process; path = the argument that names a file, -1 = none. */
static const struct refused {
	long nr;
	int path;
	const char *name;
} refused[] = {
#define REFUSE(call, path) \
	{ \
		__NR_##call, path, #call \
	}
#ifdef __NR_open
	REFUSE(open, 0),
	REFUSE(creat, 0),
	REFUSE(stat, 0),
	REFUSE(lstat, 0),
	REFUSE(access, 0),
	REFUSE(link, 0),
	REFUSE(unlink, 0),
	REFUSE(rename, 0),
	REFUSE(mkdir, 0),
	REFUSE(rmdir, 0),
	REFUSE(mknod, 0),
	REFUSE(symlink, 0),
	REFUSE(readlink, 0),
	REFUSE(fork, -1),
	REFUSE(vfork, -1),
#endif
	REFUSE(openat, 1),
	REFUSE(openat2, 1),
	REFUSE(statx, 1),
	REFUSE(faccessat, 1),
	REFUSE(linkat, 1),
	REFUSE(unlinkat, 1),
	REFUSE(mkdirat, 1),
	REFUSE(readlinkat, 1),
	REFUSE(mknodat, 1),
	REFUSE(symlinkat, 0),
	REFUSE(renameat2, 1),
	REFUSE(truncate, 0),
	REFUSE(chdir, 0),
	REFUSE(chroot, 0),
	REFUSE(mount, 0),
	REFUSE(execve, 0),
	REFUSE(execveat, 1),
	REFUSE(socket, -1),
	REFUSE(socketpair, -1),
	REFUSE(ptrace, -1),
	REFUSE(shmget, -1),
	REFUSE(shmat, -1),
	REFUSE(msgget, -1),
	REFUSE(semget, -1),
	REFUSE(mq_open, 0),
	REFUSE(kill, -1),
	REFUSE(process_vm_readv, -1),
	REFUSE(process_vm_writev, -1),
	REFUSE(io_uring_setup, -1),
	REFUSE(pidfd_open, -1),
	REFUSE(open_by_handle_at, -1),
	REFUSE(inotify_init1, -1),
	REFUSE(perf_event_open, -1),
#undef REFUSE
};

/* Tried by the C library and libcrypto on their own: refused in silence. */
static int own_business(const char *path)
{
	static const char *const quiet[] = {"/proc/sys/vm/overcommit_memory",
					    "/etc/localtime",
					    "/sys/kernel/mm/",
					    "/sys/devices/system/cpu/",
					    "/proc/meminfo",
					    "/proc/self/maps",
					    "/proc/stat",
					    "/dev/urandom"};
	size_t n;

	for (size_t i = 0; i < ISO_COUNT(quiet); i++) {
		for (n = 0; quiet[i][n] && quiet[i][n] == path[n]; n++)
			;
		if (!quiet[i][n])
			return 1;
	}
	return 0;
}

static char incident[160]; /* in the child */

#ifdef ARCH
static void on_refused(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	const struct refused *r = NULL;
	const char *path = "";

	(void)sig;
#if defined(__x86_64__)
	greg_t *reg = c->uc_mcontext.gregs;
	const uintptr_t arg[2] = {(uintptr_t)reg[REG_RDI], (uintptr_t)reg[REG_RSI]};

	reg[REG_RAX] = -EACCES;
#else
	const uintptr_t arg[2] = {c->uc_mcontext.regs[0], c->uc_mcontext.regs[1]};

	c->uc_mcontext.regs[0] = (unsigned long long)-EACCES;
#endif
	for (size_t i = 0; i < ISO_COUNT(refused); i++)
		if (refused[i].nr == info->si_syscall)
			r = &refused[i];
	if (r && r->path >= 0 && arg[r->path])
		path = (const char *)arg[r->path];
	if (incident[0] || own_business(path))
		return;
	snprintf(incident, sizeof(incident), "%s%s%.120s", r ? r->name : "clone or stat",
		 path[0] ? " " : "", path);
}

/* 1 when the filter is in place. */
static int install_filter(void)
{
	struct sock_filter f[2 * ISO_COUNT(refused) + 32];
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sock_fprog program = {.filter = f};
	unsigned short n = 0;

#define PUT(...) f[n++] = (struct sock_filter)__VA_ARGS__
	PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	PUT(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1)); /* x32 calls */
	PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	for (size_t i = 0; i < ISO_COUNT(refused); i++) {
		PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refused[i].nr, 0, 1));
		PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	}
	/* the flags of clone3 lie in memory: the C library falls back to clone */
	PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1));
	PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
	/* threads may be made, processes not; descriptors may be asked about, paths not */
	PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4));
	PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])));
	PUT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_VM, 1, 0));
	PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_newfstatat, 0, 3));
	PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])));
	PUT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, AT_EMPTY_PATH, 1, 0));
	PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef PUT
	program.len = n;
	return sigaction(SIGSYS, &action, NULL) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#else
static int install_filter(void)
{
	return 0;
}
#endif

/* ------------------------------------------------------------------ the child */

static void seal(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	if (!install_filter())
		(void)setrlimit(RLIMIT_NOFILE, &none);
}

static int write_all(int fd, const void *p_, size_t n)
{
	const char *p = p_;

	while (n > 0) {
		const ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return 0;
		p += k;
		n -= (size_t)k;
	}
	return 1;
}

static void limit_processor(double seconds)
{
	const rlim_t soft = (rlim_t)(seconds + 0.999);
	const struct rlimit cpu = {soft, soft + 1};

	if (seconds > 0)
		(void)setrlimit(RLIMIT_CPU, &cpu);
}

static void child(void (*fn)(void *, iso_str *), void *ctx, int sealed, double seconds, int pipe_fd,
		  int said_fd)
{
	iso_str result = {0};
	int ok = dup2(said_fd, 1) >= 0 && dup2(said_fd, 2) >= 0;

	(void)close(0);
	if (pipe_fd != PIPE_FD)
		ok = ok && dup2(pipe_fd, PIPE_FD) >= 0;
	ok = ok && close_range(PIPE_FD + 1, ~0u, 0) == 0;
	limit_processor(seconds);
	if (sealed)
		seal();
	if (ok)
		fn(ctx, &result);
	(void)fflush(NULL);
	ok = ok && !result.failed && write_all(PIPE_FD, incident, sizeof(incident)) &&
	     write_all(PIPE_FD, result.p, result.n);
	_exit(ok ? 0 : 1);
}

/* ------------------------------------------------------------------ the parent */

/* Reads until the child closes its end.  0: the time is over. */
static int receive(int fd, double deadline, iso_str *out)
{
	static char buffer[1 << 16];
	ssize_t k;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		const double left = deadline - iso_clock_wall();
		const int ready = deadline > 0 ? poll(&p, 1, left > 0 ? (int)(left * 1000) + 1 : 0)
					       : poll(&p, 1, -1);

		if (ready == 0)
			return 0;
		if (ready < 0 && errno == EINTR)
			continue;
		k = read(fd, buffer, sizeof(buffer));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return 1;
		iso_str_addn(out, buffer, (size_t)k);
	}
}

static void read_said(int fd, iso_str *out)
{
	char buffer[4096];
	off_t at = 0;
	ssize_t k;

	while ((size_t)at < SAID_MAX && (k = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		iso_str_addn(out, buffer, (size_t)k);
		at += k;
	}
}

/* The note about incidents stands before the result. */
static void split(iso_isolated *out)
{
	const size_t head = sizeof(out->touched);

	if (out->result.n < head) {
		iso_str_free(&out->result);
		return;
	}
	memcpy(out->touched, out->result.p, head);
	out->touched[head - 1] = 0;
	out->result.n -= head;
	memmove(out->result.p, out->result.p + head, out->result.n + 1);
}

static void collect_child(pid_t pid, int fd, int said, double seconds, iso_isolated *out)
{
	int status = 0;

	out->timed_out =
		!receive(fd, seconds > 0 ? iso_clock_wall() + 20 * seconds : 0, &out->result);
	if (out->timed_out)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		out->signal = WTERMSIG(status);
	else if (WEXITSTATUS(status) != 0)
		out->signal = SIGABRT; /* it left before its result was whole */
	out->timed_out |= out->signal == SIGXCPU;
	read_said(said, &out->said);
	if (out->signal)
		iso_str_free(&out->result);
	else
		split(out);
}

iso_status iso_isolate(void (*fn)(void *ctx, iso_str *result), void *ctx, int sealed,
		       double seconds, iso_isolated *out, iso_error *err)
{
	int ends[2] = {-1, -1}, said = memfd_create("output", MFD_CLOEXEC);
	pid_t pid;
	iso_status st = ISO_OK;

	*out = (iso_isolated){0};
#ifdef ARCH
	out->watched = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
#endif
	(void)fflush(stdout);
	(void)fflush(stderr);
	if (said < 0 || pipe(ends) != 0 || (pid = fork()) < 0) {
		st = iso_fail(err, ISO_E_IO,
			      "new process (verify): %s; free memory or raise limits",
			      strerror(errno));
		goto out;
	}
	if (pid == 0)
		child(fn, ctx, sealed, seconds, ends[1], said);
	(void)close(ends[1]);
	ends[1] = -1;
	collect_child(pid, ends[0], said, seconds, out);
	if (out->result.failed || out->said.failed)
		st = iso_no_memory(err, "the result of a process");
out:
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			(void)close(ends[i]);
	if (said >= 0)
		(void)close(said);
	if (st != ISO_OK)
		iso_isolated_free(out);
	return st;
}

void iso_isolated_free(iso_isolated *x)
{
	iso_str_free(&x->result);
	iso_str_free(&x->said);
	*x = (iso_isolated){0};
}
