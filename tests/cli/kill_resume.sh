#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A run that is killed at random moments and resumed gives the bytes of an uninterrupted one.  Killed are, in turn: the program (its
# workers die with it), one worker (its cell becomes a recorded crash, which the next run tries again), and the program by
# SIGINT and SIGTERM (exit status 130).  At least 24 kills (ISO_KILLS) must have hit a running program.
. "$(dirname "$0")/lib.sh"
suite=$quick

"$isoeps" --quiet run "$suite" --jobs 2 --out "$work/whole" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

enough=${ISO_KILLS:-24}
kills=0 round=0 crashes=0 stops=0
seed=${ISO_KILL_SEED:-$(date +%s)}
echo "seed of the moments: $seed (ISO_KILL_SEED repeats them)"
random() { # 0 .. $1-1
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	r=$(((seed / 65536) % $1))
}

child_of() { # a process whose parent is $1
	grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | head -n 1 | cut -d / -f 3
}

while [ $kills -lt "$enough" ] && [ $round -lt $((16 + enough)) ]; do
	round=$((round + 1))
	dir=$work/run$round
	turn=0
	while [ $turn -lt 40 ]; do
		turn=$((turn + 1))
		random 2
		"$isoeps" --quiet run "$suite" --jobs $((r + 1)) --out "$dir" >"$work/log" 2>&1 &
		pid=$!
		random 450
		sleep "$(printf '0.%03d' $((r + 5)))"
		random 4
		case $r in
		0) victim=$(child_of $pid) signal=KILL ;;
		1) victim=$pid signal=INT ;;
		2) victim=$pid signal=TERM ;;
		*) victim=$pid signal=KILL ;;
		esac
		if [ -n "$victim" ] && kill -$signal "$victim" 2>/dev/null; then
			kills=$((kills + 1))
			[ "$victim" = "$pid" ] || crashes=$((crashes + 1))
		fi
		wait $pid
		status=$?
		[ $status -eq 0 ] && break
		case $signal in
		INT | TERM)
			# Before the run blocks the signal it dies of it; afterwards it stops its workers and says 130.
			case $status in
			130) stops=$((stops + 1)) ;;
			143) ;;
			*) bad "SIG$signal gave exit status $status: $(cat "$work/log")" ;;
			esac ;;
		esac
	done
	"$isoeps" --quiet run "$suite" --jobs 2 --out "$dir" >"$work/log" 2>&1 || bad "resume failed: $(cat "$work/log")"
	"$same" "$work/whole" "$dir" >"$work/log" 2>&1 || bad "round $round differs: $(head -c 2000 "$work/log")"
	rm -rf "$dir"
	count=$((count + 2))
done
[ $kills -ge "$enough" ] || bad "only $kills kills hit a running program"
echo "$kills kills ($crashes of a worker, $stops orderly stops) in $round rounds"
finish
