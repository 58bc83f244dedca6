// SPDX-License-Identifier: Apache-2.0
#include "core/io/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/support/testkit.h"

static iso_error err;

static size_t entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static const char *join(const char *dir, const char *name)
{
	static char path[8][512];
	static unsigned at;
	char *p = path[at++ % 8];

	snprintf(p, 512, "%s/%s", dir, name);
	return p;
}

START_TEST(test_read_plain_and_gzip)
{
	const char *dir = tk_tempdir(), *gz = join(dir, "a.gz");
	char *text, *big = malloc(3000000);
	size_t n;

	for (size_t i = 0; i < 3000000; i++)
		big[i] = (char)(i * i >> 7);
	tk_ok(iso_file_read(tk_write(dir, "a", "one\ntwo"), 0, &text, &n, &err));
	ck_assert_uint_eq(n, 7);
	ck_assert_str_eq(text, "one\ntwo");
	iso_free(text);
	tk_ok(iso_file_read(tk_write(dir, "empty", ""), 0, &text, &n, &err));
	ck_assert_uint_eq(n, 0);
	ck_assert_str_eq(text, "");
	iso_free(text);
	tk_ok(iso_file_write_gz(gz, big, 3000000, &err));
	tk_ok(iso_file_read(gz, 0, &text, &n, &err));
	ck_assert_uint_eq(n, 3000000);
	ck_assert(memcmp(text, big, n) == 0);
	iso_free(text);
	tk_fails(iso_file_read(gz, 2999999, &text, &n, &err), ISO_E_DATA,
		 "more than 2999999 bytes");
	ck_assert_ptr_null(text);
	tk_fails(iso_file_read(join(dir, "none"), 0, &text, &n, &err), ISO_E_IO, "No such file");
	tk_fails(iso_file_read(dir, 0, &text, &n, &err), ISO_E_IO, "directory");
	free(big);
}
END_TEST

START_TEST(test_damaged_gzip)
{
	const char *dir = tk_tempdir(), *path = join(dir, "a.gz");
	char *packed, *text;
	size_t n, m;
	FILE *f;

	tk_ok(iso_file_write_gz(
		path, "some text that is long enough to be cut somewhere in its middle", 63, &err));
	f = fopen(path, "rb"); /* the raw bytes */
	packed = malloc(4096);
	n = fread(packed, 1, 4096, f);
	fclose(f);
	for (size_t cut = 11; cut < n; cut++) {
		f = fopen(path, "wb");
		fwrite(packed, 1, cut, f);
		fclose(f);
		ck_assert_msg(iso_file_read(path, 0, &text, &m, &err) == ISO_E_DATA,
			      "cut at %zu of %zu passed", cut, n);
		ck_assert_ptr_null(text);
		iso_error_clear(&err);
	}
	packed[n - 6] ^= 1; /* the checksum */
	f = fopen(path, "wb");
	fwrite(packed, 1, n, f);
	fclose(f);
	tk_fails(iso_file_read(path, 0, &text, &m, &err), ISO_E_DATA, "damaged gzip");
	free(packed);
}
END_TEST

START_TEST(test_gzip_is_reproducible)
{
	const char *dir = tk_tempdir();
	char *a, *b;
	size_t n, m;
	FILE *f;

	tk_ok(iso_file_write_gz(join(dir, "a.gz"), "hello", 5, &err));
	sleep(1);
	tk_ok(iso_file_write_gz(join(dir, "b.gz"), "hello", 5, &err));
	a = calloc(1, 256);
	b = calloc(1, 256);
	f = fopen(join(dir, "a.gz"), "rb");
	n = fread(a, 1, 256, f);
	fclose(f);
	f = fopen(join(dir, "b.gz"), "rb");
	m = fread(b, 1, 256, f);
	fclose(f);
	ck_assert_uint_eq(n, m);
	ck_assert(memcmp(a, b, n) == 0);
	ck_assert_msg(memcmp(a, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8) == 0,
		      "a time or a name in the header");
	ck_assert_int_eq((unsigned char)a[9], 255);
	free(a);
	free(b);
}
END_TEST

START_TEST(test_atomic_write)
{
	const char *dir = tk_tempdir(), *path = join(dir, "f"), *link_path = join(dir, "l");
	struct stat st;
	char *text;
	size_t n;

	tk_ok(iso_file_write_atomic(path, "old", 3, &err));
	ck_assert_int_eq(chmod(path, 0640), 0);
	tk_ok(iso_file_write_atomic(path, "newer", 5, &err));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(symlink("f", link_path), 0);
	tk_ok(iso_file_write_atomic(link_path, "by link", 7, &err));
	ck_assert_int_eq(lstat(link_path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	ck_assert_str_eq(text, "by link");
	iso_free(text);
	ck_assert_uint_eq(entries(dir), 2);
	tk_fails(iso_file_write_atomic(dir, "x", 1, &err), ISO_E_IO, "directory");
	tk_fails(iso_file_write_atomic(join(dir, "no/such"), "x", 1, &err), ISO_E_IO,
		 "No such file");
	tk_fails(iso_file_write_atomic("/dev/full", "x", 1, &err), ISO_E_IO, "No space left");
	ck_assert_int_eq(stat("/dev/full", &st), 0);
	ck_assert_msg(S_ISCHR(st.st_mode), "/dev/full was replaced");
	tk_ok(iso_file_write_atomic("/dev/null", "x", 1, &err));
}
END_TEST

/* A file-size limit stands for the full disk where no file system can be mounted. */
START_TEST(test_no_room)
{
	const char *dir = tk_tempdir(), *path = join(dir, "f");
	struct rlimit lim = {1000, RLIM_INFINITY};
	char big[5000] = {1}, *text;
	size_t n;

	tk_ok(iso_file_write_atomic(path, "old", 3, &err));
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	tk_fails(iso_file_write_atomic(path, big, sizeof(big), &err), ISO_E_IO, "cannot write");
	lim.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	ck_assert_uint_eq(entries(dir), 1);
	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	ck_assert_str_eq(text, "old");
	iso_free(text);
}
END_TEST

START_TEST(test_full_tmpfs)
{
	const char *dir = tk_tempdir(), *path = join(dir, "f");
	char *big = calloc(1, 1 << 20), *text;
	size_t n;

	if (mount("none", dir, "tmpfs", 0, "size=64k") != 0) {
		free(big); /* needs the right to mount; test_no_room covers the rest */
		return;
	}
	tk_ok(iso_file_write_atomic(path, "old", 3, &err));
	tk_fails(iso_file_write_atomic(path, big, 1 << 20, &err), ISO_E_IO, "No space left");
	ck_assert_uint_eq(entries(dir), 1);
	tk_ok(iso_file_read(path, 0, &text, &n, &err));
	ck_assert_str_eq(text, "old");
	iso_free(text);
	free(big);
	umount(dir);
}
END_TEST

START_TEST(test_dirs)
{
	const char *dir = tk_tempdir();
	char **names;
	size_t n;

	tk_ok(iso_make_dirs(join(dir, "a/b//c/"), &err));
	tk_ok(iso_make_dirs(join(dir, "a/b"), &err));
	ck_assert(iso_file_exists(join(dir, "a/b/c")));
	tk_write(dir, "z.json", "1");
	tk_write(dir, "a.json", "1");
	tk_write(dir, "a.txt", "1");
	tk_write(dir, ".z.json", "1");
	tk_fails(iso_make_dirs(join(dir, "a.txt/x"), &err), ISO_E_IO, "Not a directory");
	tk_ok(iso_list_dir(dir, ".json", &names, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(names[0], "a.json");
	ck_assert_str_eq(names[1], "z.json");
	iso_free(names[0]);
	iso_free(names[1]);
	iso_free(names);
	tk_fails(iso_list_dir(join(dir, "none"), "", &names, &n, &err), ISO_E_IO, "No such file");
}
END_TEST

START_TEST(test_stdout)
{
	int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY), ends[2];

	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	ck_assert_int_eq(iso_stdout_write("x", 1, &err), ISO_E_IO);
	iso_error_clear(&err);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	dup2(ends[1], STDOUT_FILENO);
	ck_assert_int_eq(iso_stdout_write("x", 1, &err), ISO_E_IO);
	iso_error_clear(&err);
	dup2(saved, STDOUT_FILENO);
	tk_ok(iso_stdout_write("", 0, &err));
}
END_TEST

/* 400 MiB of one letter in 400 kB: refused after a bounded amount, whether it has lines or not. */
static const char *write_bomb(const char *name, int lines)
{
	const char *path = join(tk_tempdir(), name);
	gzFile f = gzopen(path, "wb9");
	static char chunk[1 << 20];

	ck_assert_ptr_nonnull(f);
	memset(chunk, 'x', sizeof(chunk));
	for (size_t i = 99; lines && i < sizeof(chunk); i += 100)
		chunk[i] = '\n';
	for (int i = 0; i < 400; i++)
		ck_assert_int_eq(gzwrite(f, chunk, sizeof(chunk)), (int)sizeof(chunk));
	gzclose(f);
	return path;
}

START_TEST(test_gzip_bombs)
{
	struct rlimit memory = {600u << 20, 600u << 20};
	char *text;
	size_t n;
	const char *one_line = write_bomb("line.gz", 0), *lines = write_bomb("lines.gz", 1);

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &memory), 0); /* 400 MiB would not fit */
#else
	(void)memory;
#endif
	tk_fails(iso_file_read(one_line, 0, &text, &n, &err), ISO_E_DATA,
		 "a line of more than 64 MiB");
	tk_fails(iso_file_read(lines, 0, &text, &n, &err), ISO_E_DATA, "more than 200 times");
}
END_TEST

START_TEST(test_no_regular_file)
{
	const char *fifo = join(tk_tempdir(), "pipe");
	char *text;
	size_t n;

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	tk_fails(iso_file_read(fifo, 0, &text, &n, &err), ISO_E_IO, "it is a named pipe");
	tk_fails(iso_file_read("/dev/zero", 0, &text, &n, &err), ISO_E_IO, "it is a device");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file");
	TCase *t = tcase_create("file");

	tcase_add_test(t, test_read_plain_and_gzip);
	tcase_add_test(t, test_damaged_gzip);
	tcase_add_test(t, test_gzip_is_reproducible);
	tcase_add_test(t, test_atomic_write);
	tcase_add_test(t, test_no_room);
	tcase_add_test(t, test_full_tmpfs);
	tcase_add_test(t, test_dirs);
	tcase_add_test(t, test_stdout);
	tcase_add_test(t, test_gzip_bombs);
	tcase_add_test(t, test_no_regular_file);
	suite_add_tcase(s, t);
	return tk_run(s);
}
