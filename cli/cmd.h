// SPDX-License-Identifier: Apache-2.0
/* The verbs of `isoeps`.  argv[0] is the verb; the return value is the exit status of design
 * section 9: 0 done, 1 a check failed, 2 usage or configuration, 3 bad data, 4 internal or
 * environment. */
#ifndef ISO_CLI_CMD_H
#define ISO_CLI_CMD_H

#include "core/base/status.h"
#include "core/base/str.h"
#include "core/io/json.h"

int cmd_compare(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_account(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_data(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_slurm(int argc, char **argv);
int cmd_split(int argc, char **argv);
int cmd_new(int argc, char **argv);
int cmd_manual(int argc, char **argv);
int cmd_completion(int argc, char **argv);

/* Exit status after Ctrl-C or a request to stop. */
#define ISO_EXIT_INTERRUPTED 130

/* Print "isoeps: error: TEXT" and give the exit status of the error's code. */
int iso_cli_fail(const iso_error *err);
/* Write a finished text to standard output, free it, and give the exit status: `status` if the
 * write went well. */
int iso_cli_print(iso_str *text, int status);
/* The same for JSON; root is freed.  complete = 0: building it ran out of memory. */
int iso_cli_json(cJSON *root, int complete, int status);

#endif
