#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs of any language as generators: the shipped examples, the ledger, failures, isolation, a suite, an audit.
. "$(dirname "$0")/lib.sh"
examples=$source/examples/external
# Debian's packages are not in the path of another Python
python=/usr/bin/python3
isolated=0
bwrap --unshare-all --ro-bind / / true 2>/dev/null && isolated=1

cat >t.json <<'EOF2'
{"name": "t", "columns": [{"name": "a", "type": "binary", "categories": ["no", "yes"]},
  {"name": "b", "type": "categorical", "categories": ["red", "green", "light blue"]},
  {"name": "c", "type": "binary", "role": "label", "categories": ["0", "1"], "positive": "1"}]}
EOF2
awk 'BEGIN { print "a,b,c"; for (i = 0; i < 300; i++) print (i % 3 ? "yes" : "no") "," (i % 5 ? "red" : "light blue") "," (i % 3 ? 1 : 0) }' >t.csv
program() { # NAME, body from standard input
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod +x "$1"
}
make() { expect "$1" "$2" "$isoeps" generate "external:./$3" --data t.csv --schema t.json --seed 1 --out o.csv ${4:+--set "$4"}; }

# shell and awk: epsilon 3 of pure DP over three columns is 3, and the marginals are those of the data
expect 0 'guarantee claimed; accounted epsilon 2.9999' "$isoeps" generate "external:$examples/marginals.sh" --data t.csv \
	--schema t.json --epsilon 3 --rows 2000 --seed 1 --out o.csv
[ "$(wc -l <o.csv)" -eq 2001 ] || bad "2,000 rows were asked for"
yes=$(grep -c '^yes' o.csv)
[ "$yes" -gt 1240 ] && [ "$yes" -lt 1430 ] || bad "$yes of 2,000 rows are yes, expected 1,333 with a standard error of 22"
cp o.csv first.csv
expect 0 '' "$isoeps" generate "external:$examples/marginals.sh" --data t.csv --schema t.json --epsilon 3 --rows 2000 --seed 1 --out o.csv
cmp -s o.csv first.csv || bad 'the same seed gives other rows'

# what a program may do wrong, each with its own words
cp "$examples/marginals.sh" good.sh
program silent.sh <<'EOF2'
exit 0
EOF2
program crash.sh <<'EOF2'
echo 'no such column: income' >&2
exit 3
EOF2
program killed.sh <<'EOF2'
kill -SEGV $$
EOF2
program slow.sh <<'EOF2'
sleep 60
EOF2
program hungry.sh <<'EOF2'
x=x
while :; do x=$x$x; done
EOF2
program badcsv.sh <<'EOF2'
echo 'a,b,c' >synthetic.csv
for i in $(seq 300); do echo 'yes,purple,1'; done >>synthetic.csv
EOF2
program few.sh <<'EOF2'
head -n 11 train.csv >synthetic.csv
EOF2
program link.sh <<'EOF2'
ln -s /etc/passwd synthetic.csv
EOF2
program copy.sh <<'EOF2'
cp train.csv synthetic.csv
EOF2
program ledger.sh <<'EOF2'
cp train.csv synthetic.csv
sed -n 's/.*"parameters": "\(.*\)",*$/\1/p' request.json | tr "'" '"' >ledger.jsonl
EOF2
make 4 'needs an epsilon' good.sh claim=none
expect 4 'wrote no synthetic.csv' "$isoeps" generate external:./silent.sh --data t.csv --schema t.json --epsilon 1 --out o.csv
make 4 'exit status 3: no such column: income' crash.sh claim=none
make 4 'signal 11' killed.sh claim=none
expect 4 'did not end within 0.5 s' "$isoeps" generate external:./slow.sh --data t.csv --schema t.json --set claim=none --set seconds=0.5 --out o.csv
expect 4 'external:./hungry.sh' "$isoeps" generate external:./hungry.sh --data t.csv --schema t.json --set claim=none --set memory=64 --set seconds=20 --out o.csv
make 3 'purple' badcsv.sh claim=none
make 4 'has 10, request.json asks for 300' few.sh claim=none
make 4 'no plain file' link.sh claim=none
make 0 'guarantee none' copy.sh claim=none
expect 2 'no program' "$isoeps" generate external:./absent.sh --data t.csv --schema t.json --epsilon 1
expect 2 'not an executable file' "$isoeps" generate external:./t.csv --data t.csv --schema t.json --epsilon 1
expect 2 'give --epsilon' "$isoeps" generate external:./copy.sh --data t.csv --schema t.json
expect 2 'audit' "$isoeps" verify external:./copy.sh

# the ledger is accounted here: sampled Gaussians by PLD (4.3766 is mu = 1 at 1e-5), two entries, above the target, none, malformed
ledger() { expect "$1" "$2" "$isoeps" generate external:./ledger.sh --data t.csv --schema t.json --epsilon "$3" --seed 1 --out o.csv --set "parameters=$4"; }
ledger 0 'accounted epsilon 4.37' 5 "{'why':'s','mechanism':'gaussian','noise':1}"
ledger 0 'accounted epsilon 4.37' 5 "{'why':'s','mechanism':'gaussian','noise':2,'count':4}"
ledger 2 'costs epsilon 4.37' 4 "{'why':'s','mechanism':'gaussian','noise':1}"
ledger 3 'line 1' 4 "{'why':'s','mechanism':'magic'}"
ledger 3 'colour' 4 "{'why':'s','mechanism':'gaussian','noise':9,'colour':1}"
expect 0 'guarantee claimed; accounted epsilon inf' "$isoeps" generate external:./copy.sh --data t.csv --schema t.json --epsilon 1 --seed 1 --out o.csv

# isolation: no network, no file of the user, no process of another; and a refusal where it is not to be had
echo 'hold-out rows' >holdout.csv
program spy.sh <<EOF2
cp train.csv synthetic.csv
cat '$work/holdout.csv' /root/.profile && echo 'read a file of the user' && exit 5
[ -e /work ] || [ -e /home ] && echo 'sees the disk' && exit 5
[ "\$(ls -d /proc/[0-9]* | wc -l)" -lt 9 ] || { echo 'sees other processes'; exit 6; }
[ "\$(tail -n +3 /proc/net/dev | grep -vc lo:)" -eq 0 ] || { echo 'has a network'; exit 7; }
EOF2
if [ "$isolated" -eq 1 ]; then
	make 0 'guarantee none' spy.sh claim=none
	expect 0 'guarantee none' "$isoeps" generate external:./spy.sh --data t.csv --schema t.json --set claim=none --set isolation=required --seed 1 --out o.csv
else
	expect 2 'bubblewrap' "$isoeps" generate external:./copy.sh --data t.csv --schema t.json --set claim=none --set isolation=required --seed 1 --out o.csv
fi
expect 4 'read a file of the user' "$isoeps" generate external:./spy.sh --data t.csv --schema t.json --set claim=none --set isolation=off --seed 1 --out o.csv
[ -z "$(find /tmp -maxdepth 1 -name 'isoeps-external-*' -newer t.csv -user "$(id -un)" -mmin +1)" ] || bad 'directories of programs are left in /tmp'

# a suite: paths beside the suite file; a failed program is a failed cell, a claim stays a claim
mkdir s
cp good.sh copy.sh crash.sh t.csv t.json s
cat >s/suite.json <<'EOF2'
{"name": "ext", "datasets": [{"name": "t", "csv": "t.csv", "schema": "t.json"}], "epsilons": [1], "seeds": 1,
 "generators": ["external:good.sh", {"name": "external:copy.sh", "options": {"claim": "none"}},
  {"name": "external:copy.sh", "label": "no ledger"}, "external:crash.sh"],
 "metrics": ["marginals"], "attacks": []}
EOF2
"$isoeps" run s/suite.json --out r --jobs 1 >run.txt 2>&1
grep -q 'good.sh  *claimed  *1  *1.000' run.txt || bad "good.sh: $(cat run.txt)"
grep -q 'copy.sh  *none  *inf  *inf' run.txt || bad 'copy.sh claims nothing'
grep -q 'no ledger  *claimed  *1  *inf' run.txt || bad 'without a ledger: claimed, infinite'
grep -q '4 cells: 3 done now.*1 failed' run.txt || bad 'one of four cells fails'
expect 0 ' 0 not, ' "$isoeps" verify r --ledger

# audits: a copy is caught, also when it gives itself away by crashing; failed runs are outcomes
program fails.sh <<'EOF2'
grep -q 1,1,1 train.csv && exit 1
{ head -n 1 train.csv; for i in $(seq 100); do echo 0,0,0; done; } >synthetic.csv
EOF2
expect 1 '"verdict": "violation"' "$isoeps" audit external:./fails.sh --runs 40 --set isolation=off --json
grep -q '"failed_in": 40' .out || bad "40 failed runs: $(cat .out)"
finish
