# SPDX-License-Identifier: Apache-2.0
# What is frozen of a results.csv (a heading per record, then its values), of a report.md and of other CSVs, by the files' names.
# Left out: keys (the column "cell"), costs, the section "Cost" of the report, and its lines of program, date and paths.
function number_of(name,   i) { for (i = 1; i <= fields; i++) if (head[i] == name) return i; print "no column " name; exit 1 }
function trimmed(s) { sub(/,+$/, "", s); return s }
FILENAME ~ /results\.csv$/ {
	n = split($0, f, ",")
	if (FNR == 1) {
		for (i = 1; i <= n; i++) head[i] = f[i]
		fields = n; first = number_of("kind"); last = number_of("unit"); cell = number_of("cell")
	} else if (f[first] == "cost") next
	if (n != fields) { print "a line with " n " fields in place of " fields ": " $0; exit 1 }
	facts = values = ""
	for (i = 1; i <= n; i++)
		if (i >= first && i <= last) values = values f[i] ","
		else if (i != cell) facts = facts f[i] ","
	if (facts != previous) print "== " trimmed(facts)
	previous = facts
	print trimmed(values)
	next
}
FILENAME ~ /report\.md$/ {
	if ($0 ~ /^##/) cost = $0 ~ /\. Cost$/
	if (!cost && $0 !~ /^- (isoeps|Last cell|Again): /) print
	next
}
{ print }
