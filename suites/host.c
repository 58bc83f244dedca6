// SPDX-License-Identifier: Apache-2.0
/* Facts of the machine and the build, under "run", for whoever traces a number.  No host name: a
 * record must not tell a double-blind reader whose it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/sha256.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
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
	char cpu[200], build[128], blas[256], system[256] = "unknown";
	iso_jsonw w = {0};
	cJSON *o = iso_jsonw_object(&w, NULL, NULL);

	if (uname(&u) == 0)
		snprintf(system, sizeof(system), "%.80s %.80s %.40s", u.sysname, u.release,
			 u.machine);
	cpu_model(cpu, sizeof(cpu));
	build_identity(build, sizeof(build));
	snprintf(blas, sizeof(blas), "%s (core %s)", iso_blas_config(), iso_blas_core());
	iso_jsonw_text(&w, o, "system", system);
	iso_jsonw_text(&w, o, "cpu", cpu);
	iso_jsonw_text(&w, o, "isa", iso_isa_name(iso_isa_active()));
	iso_jsonw_text(&w, o, "gemm", iso_gemm_backend());
	iso_jsonw_text(&w, o, "blas", blas);
	iso_jsonw_text(&w, o, "compiler", __VERSION__);
	iso_jsonw_text(&w, o, "build", build);
	iso_jsonw_text(&w, o, "version", ISO_VERSION);
	return iso_jsonw_end(&w, o, "a record", out, err);
}
