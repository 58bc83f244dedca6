#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Wrong input gives an error that names file, line, column or key and a remedy, the right exit status, and no result.
. "$(dirname "$0")/lib.sh"

cat >good.csv <<'END'
age,income,job,label
30,1200.5,clerk,yes
41,900,farmer,no
29,3000,clerk,no
35,2500,teacher,yes
50,1100,farmer,yes
62,700,teacher,no
33,1800,clerk,yes
47,1500,farmer,no
END
cat >schema.json <<'END'
{"name": "people", "columns": [
  {"name": "age", "type": "integer", "bounds": [0, 120]},
  {"name": "income", "type": "continuous", "bounds": [0, 10000]},
  {"name": "job", "type": "categorical", "categories": ["clerk", "farmer", "teacher"]},
  {"name": "label", "type": "binary", "role": "label", "categories": ["no", "yes"], "positive": "yes"}]}
END
suite() { # name, the rest of the object
	printf '{"name": "t", "datasets": [{"name": "people", "csv": "%s", "schema": "schema.json"}], "generators": ["memorise"], "attacks": [], "metrics": []%s}\n' \
		"$1" "$2" >s.json
}
run() { "$isoeps" run "$@"; }
generate() { "$isoeps" generate independent --data "$1" --schema schema.json --epsilon 1 --out out.csv; }

suite good.csv ""
expect 0 "1 done now" run s.json --out ok

# files
expect 2 "no such suite (nosuch)" run nosuch
expect 4 "./nosuch.json" run ./nosuch.json
suite missing.csv ""
expect 4 "missing.csv" run s.json --out o
expect 4 "missing.csv" generate missing.csv
printf 'age,income,job,label\n30,1200.5,clerk\n' >ragged.csv
expect 3 "ragged.csv:2" generate ragged.csv
printf 'age,income,job,label\n30,1200.5,clerk,yes\n130,1,clerk,no\n' >outside.csv
expect 3 "outside.csv:3" generate outside.csv
expect 3 "130" generate outside.csv
printf 'age,income,job,label\n30,1200.5,pilot,yes\n' >category.csv
expect 3 "pilot" generate category.csv
printf 'age,income,jobb,label\n30,1200.5,clerk,yes\n' >column.csv
expect 3 "jobb" generate column.csv
printf 'age,income,job,label\n30,"1200.5,clerk,yes\n' >quote.csv
expect 3 "quote.csv" generate quote.csv
: >empty.csv
expect 3 "empty.csv" generate empty.csv
head -c 3000 /dev/urandom >noise.csv
expect 3 "noise.csv" generate noise.csv
[ ! -e out.csv ] || bad "a failed generate left out.csv"
printf '{"name": "x", "columns": [{"name": "age", "type": "integr", "bounds": [0, 1]}]}\n' >badschema.json
expect 2 "integer" "$isoeps" generate independent --data good.csv --schema badschema.json --epsilon 1
printf '{"name": "x",\n "columns": [}\n' >malformed.json
expect 2 "malformed.json:2:" "$isoeps" generate independent --data good.csv --schema malformed.json --epsilon 1

# suites
printf '{"name": "t",\n  "datasets": ["wdbc",,]}\n' >malformed-suite.json
expect 2 "malformed-suite.json:2:" run malformed-suite.json
suite good.csv ', "epsilonz": [1]'
expect 2 'did you mean "epsilons"?' run s.json
expect 2 "s.json" run s.json
suite good.csv ', "split": {"trian": 0.5}'
expect 2 'did you mean "train"?' run s.json
suite good.csv ', "limits": {"second": 5}'
expect 2 'did you mean "seconds"?' run s.json
suite good.csv ', "split": {"train": 0.9, "holdout": 0.9}'
expect 2 "at most 1" run s.json
suite good.csv ', "epsilons": [-1]'
expect 2 "epsilons[0]" run s.json
suite good.csv ', "epsilons": [1, 1]'
expect 2 "twice" run s.json
suite good.csv ', "epsilons": []'
expect 2 "empty list" run s.json
suite good.csv ', "delta": 2'
expect 2 "delta" run s.json
suite good.csv ', "delta": "1/m"'
expect 2 "1/n" run s.json
suite good.csv ', "seeds": [1.5]'
expect 2 "seeds[0]" run s.json
suite good.csv ', "accountant": "pdl"'
expect 2 'use "pld"' run s.json
suite good.csv ', "rows": "trian"'
expect 2 "train" run s.json
echo '{"name": "t", "datasets": ["wdbcc"], "generators": ["memorise"]}' >s.json
expect 2 'did you mean "wdbc"?' run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": ["memorize"]}' >s.json
expect 2 "memorise" run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": [{"name": "dp-cgan", "options": {"step": 3}}]}' >s.json
expect 2 'did you mean "steps"?' run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": [{"name": "dp-cgan", "options": {"steps": -3}}]}' >s.json
expect 2 "allowed is 0 to" run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": ["memorise", {"name": "memorise", "label": "again"}]}' >s.json
expect 2 "same cell twice" run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": ["memorise", "memorise"]}' >s.json
expect 2 "label used twice" run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": ["memorise"], "attacks": ["gan-leeks"]}' >s.json
expect 2 "gan-leaks" run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": ["memorise"], "metrics": ["tsrt"]}' >s.json
expect 2 "metrics[0]" run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": [{"name": "vae", "datasets": ["adult"]}]}' >s.json
expect 2 "not a data set of this suite" run s.json
echo '{"name": "t/../x", "datasets": ["wdbc"], "generators": ["vae"]}' >s.json
expect 2 "letters, digits" run s.json
echo '{"name": "t", "datasets": [{"name": "sim-census", "options": {"row": 3}}], "generators": ["vae"]}' >s.json
expect 2 "rows" run s.json
echo '{"name": "t", "datasets": ["wdbc"], "generators": [{"name": "dp-cgan", "options": {"steps": 1000000}}], "epsilons": [1e-6], "delta": 1e-15}' >s.json
expect 2 "dp-cgan" run s.json # an impossible epsilon is found before anything runs
[ ! -e out/t/cells ] || bad "a suite with an impossible epsilon ran"

# command line
expect 2 "did you mean run?" "$isoeps" rum demo
expect 2 "did you mean --jobs?" run demo --job 3
expect 2 "1 to 4096" run demo --jobs 0
expect 2 "a whole number" run demo --jobs 1.5
expect 2 "value missing" run demo --jobs
expect 2 "--shard" run demo --shard 3/2
expect 2 "--shard" run demo --shard 0/2
expect 2 "did you mean generator?" run smoke --only generatr=vae
expect 2 "no cell of the suite" run smoke --only generator=vea
expect 2 "unexpected word" run demo demo
expect 2 "operand missing" run
expect 2 "did you mean generators?" "$isoeps" list generator
expect 2 "dp-cgan" "$isoeps" describe dp-cgn
expect 2 "--schema is needed" "$isoeps" generate vae --data good.csv
expect 2 "give --epsilon" "$isoeps" generate independent --data good.csv --schema schema.json
expect 2 "independent" "$isoeps" generate independnt --data good.csv --schema schema.json --epsilon 1
expect 2 "bins" "$isoeps" generate independent --data good.csv --schema schema.json --epsilon 1 --set binz=4
expect 2 "--epsilon" "$isoeps" generate independent --data good.csv --schema schema.json --epsilon -1
expect 4 "no results" "$isoeps" status nowhere
expect 2 "no such cell" "$isoeps" explain ok ffffffffffffffffffffffffffffffffff
expect 4 "nolib.so" run smoke --plugin ./nolib.so

# a device that is full, a pipe that is closed
expect 4 "/dev/full" "$isoeps" generate memorise --data good.csv --schema schema.json --out /dev/full
full() { "$isoeps" list generators >/dev/full; }
expect 4 "standard output" full
: >a-file
suite good.csv ""
expect 4 "a-file" run s.json --out a-file/o
finish
