// SPDX-License-Identifier: Apache-2.0
/* Facts of the machine and the build: they stand under "run", for whoever traces a number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/sha256.h"
#include "core/io/file.h"
#include "core/math/blas.h"
#include "core/math/gemm.h"
#include "suites/cell.h"

static void cpu_model(char *out, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(out, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !colon)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(out, size, "%s", colon + 2);
		break;
	}
	if (f)
		fclose(f);
}

/* The program itself, by the hash of its file. */
static void build_identity(char *out, size_t size)
{
	char *bytes = NULL, hex[65] = "unknown";
	uint8_t digest[32];
	size_t n = 0;

	if (iso_file_read("/proc/self/exe", 0, &bytes, &n, NULL) == ISO_OK &&
	    iso_sha256_of(bytes, n, digest, NULL) == ISO_OK)
		iso_hex(digest, 32, hex);
	iso_free(bytes);
	snprintf(out, size, "%s, program sha256 %.16s", ISO_BUILD_TYPE, hex);
}

iso_status iso_host_facts(cJSON **out, iso_error *err)
{
	struct utsname u;
	char cpu[200], build[128], blas[256], host[256], system[256];
	cJSON *o = cJSON_CreateObject();
	const char *const text[][2] = {{"host", host},
				       {"system", system},
				       {"cpu", cpu},
				       {"isa", iso_isa_name(iso_isa_active())},
				       {"gemm", iso_gemm_backend()},
				       {"blas", blas},
				       {"compiler", __VERSION__},
				       {"build", build},
				       {"version", ISO_VERSION}};

	snprintf(host, sizeof(host), "unknown");
	(void)gethostname(host, sizeof(host) - 1);
	if (uname(&u) == 0)
		snprintf(system, sizeof(system), "%.80s %.80s %.40s", u.sysname, u.release,
			 u.machine);
	else
		snprintf(system, sizeof(system), "unknown");
	cpu_model(cpu, sizeof(cpu));
	build_identity(build, sizeof(build));
	snprintf(blas, sizeof(blas), "%s (core %s)", iso_blas_config(), iso_blas_core());
	for (size_t i = 0; i < ISO_COUNT(text); i++)
		if (!o || !cJSON_AddStringToObject(o, text[i][0], text[i][1])) {
			cJSON_Delete(o);
			return iso_no_memory(err, "a record");
		}
	*out = o;
	return ISO_OK;
}
