#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# isoeps slurm: the scripts; then a Slurm of one node on loopback, an array whose task is killed and
# requeued, and the report behind it.
. "$(dirname "$0")/lib.sh"

# One data set, cells that last a moment, so that one can be killed.
sed -e 's/"datasets": .*/"datasets": ["wdbc"],/' -e 's/"steps": 20/"steps": 2000/' -e 's/"epochs": 2}/"epochs": 60}/' "$quick" >suite.json
expect 0 "" "$isoeps" run suite.json --out whole --jobs 2
rm -f whole/cells/*5*.json # estimated by the others

expect 0 "#SBATCH --array=1-3" "$isoeps" slurm suite.json --dry-run --tasks 3 --out whole --time 7 --sbatch=--partition=short
for line in "#SBATCH --requeue" "#SBATCH --time=7" "#SBATCH --mem=" "#SBATCH --partition=short" \
	'--shard "$SLURM_ARRAY_TASK_ID/3"' "'$work/whole'" "afterany" " report '$work/whole'"; do
	grep -qF -e "$line" .out || bad "the scripts lack $line"
done
[ -e whole/slurm ] && bad "--dry-run wrote something"
expect 4 "cannot run sbatch" env PATH=/nowhere "$isoeps" slurm suite.json --tasks 2 --out whole
expect 2 "one option of one line" "$isoeps" slurm suite.json --dry-run --sbatch="a
b"
expect 0 "" "$isoeps" run suite.json --out whole --jobs 2
rm -rf whole/slurm

skip() {
	[ "$failed" -eq 0 ] || finish
	echo "SKIP: $1; $count checks of the scripts passed"
	exit 77
}
for program in slurmctld slurmd sbatch scontrol squeue; do
	command -v $program >/dev/null 2>&1 || skip "no Slurm here ($program is missing: apt-get install slurmctld slurmd slurm-client)"
done
[ "$(id -u)" -eq 0 ] || skip "slurmd needs root"

host=$(hostname -s)
mkdir -p slurm/ctl slurm/d
port=$((20000 + $$ % 20000))
cat >slurm/slurm.conf <<EOF
ClusterName=isoeps
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/slurm/ctl
SlurmdSpoolDir=$work/slurm/d
SlurmctldPidFile=$work/slurm/ctld.pid
SlurmdPidFile=$work/slurm/d.pid
SlurmctldLogFile=$work/slurm/ctld.log
SlurmdLogFile=$work/slurm/d.log
ReturnToService=2
MpiDefault=none
KillWait=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF="$work/slurm/slurm.conf"
slurmctld -D >slurm/ctld.out 2>&1 &
ctld=$!
slurmd -D >slurm/d.out 2>&1 &
d=$!
trap 'scancel -u root 2>/dev/null; kill $d $ctld 2>/dev/null; wait $d $ctld 2>/dev/null; rm -rf "$work"' EXIT

# until SECONDS COMMAND...: waits for the command to succeed.
until_ok() {
	left=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.2
	done
}
up() { sinfo -h -o %T | grep -qE '^(idle|mixed|allocated)'; }
until_ok 20 up || skip "Slurm does not come up here: $(tail -n 2 slurm/ctld.out slurm/d.out slurm/ctld.log | tr '\n' ' ')"

expect 0 "report  job" "$isoeps" slurm suite.json --tasks 2 --memory 600 --out o
array=$(sed -n 's/^array   job \([0-9]*\),.*/\1/p' .out)
report=$(sed -n 's/^report  job \([0-9]*\),.*/\1/p' .out)
first_record() { ls o/cells/*.json; }
until_ok 15 first_record || bad "no cell was finished: $(cat o/slurm/*.log)"
# The node dies: its daemon, the keeper of the task and the task itself, killed without a word.  The
# controller is told, where it would find out by a time-out, and requeues.
kill -9 $d
for p in $(grep -lF "$work/slurm/slurm.conf" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3); do
	case $(tr '\0' ' ' <"/proc/$p/cmdline") in
	slurmstepd* | *"run $work/suite.json"*) kill -9 "$p" ;;
	esac
done 2>/dev/null
scontrol update NodeName="$host" State=DOWN Reason=died
slurmd -D >slurm/d2.out 2>&1 &
d=$!
until_ok 20 scontrol update NodeName="$host" State=RESUME
requeued() { scontrol show job "$array" | grep -q 'Restarts=[1-9]'; }
until_ok 40 requeued || bad "the task was not requeued: $(scontrol show job "$array" | head -c 600)"
ended() { [ -z "$(squeue -h -j "$report" -t PENDING,RUNNING,COMPLETING,SUSPENDED 2>/dev/null)" ]; }
until_ok 60 ended || bad "the report did not end: $(squeue; scontrol show job "$array" | head -40)"
[ -s o/report/index.html ] || bad "no report: $(cat o/slurm/*.log | tail -n 20)"
"$same" whole o >.out 2>&1 || bad "the array gives other bytes than a run without Slurm: $(head -c 600 .out)"
[ "$failed" -eq 0 ] || tail -n 30 slurm/ctld.log slurm/ctld.out slurm/d.log
finish
