#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Cells that crash, hang, grow, fail or lie are recorded outcomes; the other cells go on, and the next run tries them again.
plugin=$4
# In a build with the address sanitizer: die and fail as without it.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:allocator_may_return_null=1"
. "$(dirname "$0")/lib.sh"

unruly() { printf '{"name": "unruly", "label": "%s", "options": {"does": "%s"}}' "$1" "$1"; }
cat >s.json <<END
{"name": "unruly", "datasets": ["wdbc"], "rows": 50, "seeds": 1,
 "generators": ["memorise", $(unruly crash), $(unruly hang), $(unruly grow), $(unruly fail), $(unruly quit), $(unruly outside),
	$(unruly infinite), $(unruly nothing), "uniform"],
 "attacks": [{"name": "gan-leaks", "options": {"samples": 100}}, "logan-wb"], "metrics": ["marginals"], "attack_targets": 20,
 "limits": {"seconds": 12, "memory_mib": 200}}
END
expect 4 "4 done now, 0 done before, 6 failed" "$isoeps" run s.json --plugin "$plugin" --out o --jobs 2

outcome() { # generator, status, text
	count=$((count + 1))
	f=$(grep -lF "\"label\": \"$1\"," o/cells/*.json | while read -r f; do grep -q "^	\"label\": \"$1\"," "$f" && echo "$f"; done)
	[ -n "$f" ] || { bad "no record of $1"; return; }
	grep -q "^	\"status\": \"$2\"," "$f" || bad "$1: $(grep '^	"status"' "$f"), expected $2"
	grep -qF "$3" "$f" || bad "$1: the record lacks \"$3\": $(grep '^	"error"' "$f")"
}
outcome memorise ok '"tpr_fpr_1"'
outcome uniform ok '"tpr_fpr_1"'
outcome nothing ok '"tpr_fpr_1"'
outcome crash crash "signal 11"
outcome hang timeout "12 s were not enough"
outcome grow memory "out of memory"
outcome fail error "it was asked to fail"
outcome quit crash "exit status 0"
outcome outside error "sample of unruly"
outcome infinite ok "scores are finite" # the attack is in error, the cell is not

expect 1 "4 of 10 cells done, 6 failed, 0 to go" "$isoeps" status o
expect 1 "timeout" "$isoeps" status o
# Failed cells are tried again, finished ones are not; the exit status follows the failure.
expect 3 "0 done now, 0 done before, 1 failed" "$isoeps" run s.json --plugin "$plugin" --out o --only generator=fail
expect 0 "0 done now, 1 done before, 0 failed" "$isoeps" run s.json --plugin "$plugin" --out o --only generator=nothing
# Without the plug-in the suite is refused before anything runs.
expect 2 "unruly" "$isoeps" run s.json --out p

# An attack that takes its worker down costs its own judgement: the model is loaded again, the other attacks and the metric
# are there, and the next run tries that attack again.
rude() { printf '{"name": "rude", "label": "%s", "options": {"does": "%s"}}' "$1" "$1"; }
cat >rude.json <<END
{"name": "rude", "datasets": ["wdbc"], "rows": 50, "generators": ["independent"], "verify": false, "limits": {"seconds": 4},
 "attacks": ["plagiarism-index", $(rude crash), $(rude nothing), $(rude quit), $(rude hang), $(rude fail), {"name": "plagiarism-index", "label": "last"}],
 "metrics": ["marginals"], "attack_targets": 20}
END
expect 4 "3 judgements that crashed or ran out of time" "$isoeps" run rude.json --plugin "$plugin" --out rude --jobs 1
f=$(ls rude/cells/*.json)
grep -q '^	"status": "ok"' "$f" || bad "the cell of a crashing attack is lost"
for text in '"crash: signal 11' '"crash: ' '"time limit: ' 'out of memory' ; do
	grep -q "\"reason\": $text\|$text" "$f" || bad "no reason with $text"
done
[ "$(grep -c '"auc": 0\|"auc": [1-9]' "$f")" -ge 3 ] || bad "attacks beside a crashing one have no result"
expect 4 "1 cells: 1 done now, 0 done before, 0 failed; 0 trained, 0 judged" "$isoeps" run rude.json --plugin "$plugin" --out rude --jobs 1

# A record that was cut, or overwritten with nonsense, is reported and done again.
f=$(ls o/cells/*.json | head -n 1)
echo '{"isoeps": 1' >"$f"
expect 1 "damaged" "$isoeps" status o
# generate trains a plug-in in a process of its own: what becomes of it is an error with a reason.
echo '{"name": "own", "columns": [{"name": "a", "type": "integer", "bounds": [0, 6]}]}' >own.json
printf 'a\n1\n2\n3\n4\n5\n' >own.csv
generate() { "$isoeps" generate unruly --plugin "$plugin" --data own.csv --schema own.json --rows 3 --out rows.csv --set does="$1"; }
expect 4 "plug-in ended the training (unruly): it was killed by signal 11; no rows were made" generate crash
expect 4 "plug-in ended the training (unruly): it called exit; no rows were made" generate quit
[ ! -e rows.csv ] || bad "rows of a training that ended early were written"
expect 0 "3 synthetic rows from 5 rows" generate nothing
finish
