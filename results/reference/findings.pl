#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What the frozen values of a study say, as docs/findings.md.  Every sentence is made from cells of values.csv and
# names them as (data set, method, epsilon).
# usage: findings.pl values.csv
use strict;
use warnings;

my $UTILITY = "tstr.lr.auroc_macro";
my $MARGINS = "marginals.tvd2_mean";
my $FLOOR = "naive-bayes";
my %CONTROL = map { $_ => 1 } ($FLOOR, "independent", "uniform", "memorise");
# two-sided .05 points of Student's t with n - 1 degrees of freedom
my %T = (2 => 12.706, 3 => 4.303, 4 => 3.182, 5 => 2.776);

my (%value, %cells, %data, %method, %epsilon, %guarantee, %seeds, %unsupported);
while (<>) {
	chomp;
	next if $. == 1;
	my ($cell, $d, $g, $guarantee, $e, $seed, $name, $v) = split /,/;
	if ($name eq "status") { $unsupported{$g}{"$d, $v"} = 1; next; }
	$cells{$cell} = 1;
	$value{$name}{$d}{$g}{$e}{$seed} = $v if $v =~ /^-?[0-9.]/;
	$guarantee{$g} = $guarantee;
	$data{$d} = $method{$g} = $seeds{$seed} = 1;
	$epsilon{$e} = 1 if $e ne "inf";
}
my @data = sort keys %data;
my @eps = sort { $a <=> $b } keys %epsilon;

sub of { my ($name, $d, $g, $e) = @_; return $value{$name}{$d}{$g}{$e} // {}; }
sub mean { my ($h) = @_; my @v = values %$h; my $s = 0; $s += $_ for @v; return @v ? $s / @v : undef; }
sub num { my ($x) = @_; my $t = sprintf "%.3f", $x; $t =~ s/^(-?)0\./$1./; return $t; }

# Paired over seeds: mean difference of a and b and whether it is told apart from 0 at .05.
sub paired {
	my ($x, $y) = @_;
	my @d = map { $x->{$_} - $y->{$_} } grep { exists $y->{$_} } sort keys %$x;
	return (undef, 0) unless @d;
	my $m = 0;
	$m += $_ / @d for @d;
	return ($m, 0) if @d < 2;
	my $ss = 0;
	$ss += ($_ - $m)**2 for @d;
	my $se = sqrt($ss / (@d - 1) / @d);
	my $t = $T{scalar @d} // 2.262;
	return ($m, abs($m) > $t * $se && abs($m) > 1e-9);
}

# Private methods with a value here, best first.
sub ranked {
	my ($name, $d, $e, $up) = @_;
	my @g = grep { !$CONTROL{$_} && defined mean(of($name, $d, $_, $e)) && $_ ne "obfuscate" } sort keys %method;
	return sort { ($up ? -1 : 1) * (mean(of($name, $d, $a, $e)) <=> mean(of($name, $d, $b, $e))) || $a cmp $b } @g;
}

sub ties_of {
	my ($name, $d, $e, @g) = @_;
	my $best = shift @g;
	return grep { !(paired(of($name, $d, $best, $e), of($name, $d, $_, $e)))[1] } @g;
}

sub listed { my ($name, $d, $e, @g) = @_; return join(", ", map { "`$_` " . num(mean(of($name, $d, $_, $e))) } @g); }

my $n = scalar keys %seeds;
print <<"END";
# Findings of the quick study

Written by `results/reference/findings.pl` from the frozen values of `suites/equal-epsilon-quick.json`
(`results/reference/equal-epsilon-quick/values.csv`, provenance beside it); a test makes this page again and compares. A triple
(data set, method, epsilon) names the cells of a sentence: one row per seed in that file. Figures are means over the seeds ($n at most).
Two methods are *tied* where the paired t-test over seeds does not tell them apart at level .05; with three seeds that takes a large or a very
steady difference. Trainings are short, tables small: these are answers to "which method first?", not limits of a method.
END

# Seeds of a table: those of the floor.
sub seeds_of { my ($d, $e) = @_; return scalar keys %{ of($UTILITY, $d, $FLOOR, $e) }; }
my @have = map { my $d = $_; map { seeds_of($d, $_) ? "$d at $_ (" . seeds_of($d, $_) . ")" : () } @eps } @data;
printf "\nFrozen are %d cells; the tables (seeds in brackets): %s. What is not there was not run.\n", scalar keys %cells, join(", ", @have);

print "\n## Which method where\n\nUtility: AUROC of a logistic regression trained on synthetic rows (one against the rest). Fidelity: mean total variation of 2-way marginals.\n";
for my $e (@eps) {
	for my $d (@data) {
		my @u = ranked($UTILITY, $d, $e, 1);
		my @m = ranked($MARGINS, $d, $e, 0);
		next unless @u;
		my $best = $u[0];
		my @tie = ties_of($UTILITY, $d, $e, @u);
		my $floor = mean(of($UTILITY, $d, $FLOOR, $e));
		my @above = grep { my ($m, $s) = paired(of($UTILITY, $d, $_, $e), of($UTILITY, $d, $FLOOR, $e)); defined $m && $s && $m > 0 } @u;
		my $real = mean(of("tstr.real.lr.auroc_macro", $d, $best, $e));
		print "\n**$d, epsilon $e.** ";
		printf "Best utility: `%s` %s ($d, %s, $e); real rows give %s. ", $best, num(mean(of($UTILITY, $d, $best, $e))), $best, num($real);
		my $close = @tie > 6 ? 6 : scalar @tie;
		if (seeds_of($d, $e) < 2) {
			print "One seed: nothing is told apart.\n";
			next;
		}
		printf "Tied with it are %d of %d others%s. ", scalar @tie, scalar(@u) - 1, $close ? ", first of them " . listed($UTILITY, $d, $e, @tie[0 .. $close - 1]) : "";
		if (defined $floor) {
			printf "Noisy naive Bayes has %s ($d, $FLOOR, $e); %s. ", num($floor),
				@above ? "told apart above it: " . listed($UTILITY, $d, $e, @above) : "no method is told apart above it";
		}
		if (@m) {
			my @mt = ties_of($MARGINS, $d, $e, @m);
			printf "Best marginals: `%s` %s ($d, %s, $e), tied with %d others. ", $m[0], num(mean(of($MARGINS, $d, $m[0], $e))), $m[0], scalar @mt;
		}
		print "\n";
	}
}

print "\n## The floor\n\n| method | tables above noisy naive Bayes | tied | below | mean difference |\n| --- | --- | --- | --- | --- |\n";
my @row;
for my $g (sort keys %method) {
	next if $CONTROL{$g} || $g eq "obfuscate";
	my ($up, $tie, $down, $sum) = (0, 0, 0, 0);
	for my $d (@data) {
		for my $e (@eps) {
			my ($m, $s) = paired(of($UTILITY, $d, $g, $e), of($UTILITY, $d, $FLOOR, $e));
			next unless defined $m && seeds_of($d, $e) > 1;
			$s ? ($m > 0 ? $up++ : $down++) : $tie++;
			$sum += $m;
		}
	}
	my $k = $up + $tie + $down;
	push @row, [$sum / $k, "| `$g` | $up | $tie | $down | " . num($sum / $k) . " |\n"] if $k;
}
print map { $_->[1] } sort { $b->[0] <=> $a->[0] || $a->[1] cmp $b->[1] } @row;
print "\nA table is a (data set, epsilon); the differences are of the cells (data set, method, epsilon) and (data set, $FLOOR, epsilon).\n";

print "\n## Published orderings\n\nClaims of the literature that the study can try, with its small tables and short trainings: a claim *holds* in a table where the paired test tells the methods apart in its direction.\n\n| claim | holds | tied | reversed | tables |\n| --- | --- | --- | --- | --- |\n";
for my $c (["PATE-GAN above DPGAN at every epsilon", "pate-gan", "dp-gan-xie"],
	["GANobfuscator at or above DPGAN", "gan-obfuscator", "dp-gan-xie"],
	["dp-GAN above DPGAN", "dp-gan-zhang", "dp-gan-xie"],
	["cdp-GAN above dp-GAN", "cdp-gan", "dp-gan-zhang"],
	["DP-SYN above DPGM", "dp-syn", "dpgm"],
	["DP-CGAN above clipping real and fake together", "dp-cgan", "cgan-basic-dp"],
	["DP-AuGM above DP-VaeGM", "dp-augm", "dp-vaegm"],
	["AIM above MST", "aim", "mst"]) {
	my ($text, $x, $y) = @$c;
	my (%n, @where);
	for my $d (@data) {
		for my $e (@eps) {
			my ($m, $s) = paired(of($UTILITY, $d, $x, $e), of($UTILITY, $d, $y, $e));
			next unless defined $m && seeds_of($d, $e) > 1;
			my $k = $s ? ($m > 0 ? "holds" : "reversed") : "tied";
			$n{$k}++;
			push @where, "$d/$e" . ($k eq "holds" ? "+" : $k eq "tied" ? "=" : "-");
		}
	}
	next unless @where;
	printf "| %s (`%s` against `%s`) | %d | %d | %d | %s |\n", $text, $x, $y, $n{holds} // 0, $n{tied} // 0, $n{reversed} // 0, join(" ", @where);
}
print "\nd/e+ holds, d/e= tied, d/e- reversed: cells (d, first, e) against (d, second, e).\n";

print "\n## Attacks\n\n";
for my $a ("gan-leaks.auc", "domias.auc") {
	my ($top, $where) = (0, "");
	for my $d (@data) {
		for my $g (sort keys %method) {
			next if $CONTROL{$g} || ($guarantee{$g} // "") !~ /^(dp|claimed)$/;
			for my $e (@eps) {
				my $m = mean(of($a, $d, $g, $e));
				($top, $where) = ($m, "$d, $g, $e") if defined $m && $m > $top;
			}
		}
	}
	my $copy = 0;
	my @copies = map { mean(of($a, $_, "memorise", "inf")) // () } @data;
	$copy += $_ / @copies for @copies;
	printf "Against private methods `%s` reaches at most %s (%s); against rows that are copied %s (mean over (data set, memorise, inf)). ", $a, num($top), $where, num($copy) if $where;
}
print "\n";
my @no = map { my $g = $_; "`$g` (" . join("; ", sort keys %{ $unsupported{$g} }) . ")" } sort keys %unsupported;
print "\nCells without figures: ", join("; ", @no), ".\n" if @no;
