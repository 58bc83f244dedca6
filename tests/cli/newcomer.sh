#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A newcomer's walk over ten tables that R ships, as write.csv and its relatives write them, and one of scikit-learn:
# infer, check, generate, split, run, report, check, explain, evaluate.  Nothing is edited by hand on the way.
. "$(dirname "$0")/lib.sh"
command -v Rscript >/dev/null 2>&1 || { echo "skipped: r-base-core is not installed"; exit 77; }
cat >tables.R <<'END'
Titanic <- as.data.frame(Titanic)
Titanic <- Titanic[rep(seq_len(nrow(Titanic)), Titanic$Freq), 1:4]
write.csv(iris, "iris.csv")
write.csv(Titanic, "titanic.csv", row.names = FALSE)
write.csv2(airquality, "airquality.csv")
write.table(ToothGrowth, "tooth.csv", sep = ",")
write.table(chickwts, "chick.csv", sep = "\t", quote = FALSE, row.names = FALSE)
write.csv(mtcars, "mtcars.csv")
write.csv2(warpbreaks, "warp.csv", row.names = FALSE, quote = FALSE)
write.csv(infert, gzfile("infert.csv.gz"), na = ".")
write.table(swiss, "swiss.csv", sep = "|", dec = ",")
write.csv(cbind(day = as.Date("2024-01-01") + seq_len(nrow(quakes)), quakes), "quakes.csv", row.names = FALSE)
END
Rscript tables.R || bad "R did not write its tables"
python=/usr/bin/python3
tables="iris.csv:Species titanic.csv:Survived airquality.csv:Month tooth.csv:supp chick.csv:feed mtcars.csv:am warp.csv:tension
infert.csv.gz:case swiss.csv:Fertility quakes.csv:mag"
if "$python" -c 'import sklearn' 2>/dev/null; then
	"$python" -c 'from sklearn.datasets import load_wine
d = load_wine()
print(",".join(n.replace("/", " ") for n in d.feature_names) + ",target")
for x, y in zip(d.data, d.target): print(",".join(map(str, x)) + ",%d" % y)' >wine.csv
	tables="$tables wine.csv:target"
fi
value() { awk -F, -v m="$1" -v v="$2" '$4 == m && $11 == v { print $12 }' out/results.csv; }
for pair in $tables; do
	file=${pair%:*} label=${pair#*:} name=${pair%%.*}
	rm -rf out parts
	expect 0 "wrote $name.json" "$isoeps" schema infer "$file" --label "$label" --out "$name.json"
	expect 0 "all inside the schema" "$isoeps" schema check "$name.json" "$file"
	expect 0 "caveat: the schema marks" "$isoeps" generate mst --data "$file" --schema "$name.json" --epsilon 10 --rows 50 --out rows.csv
	expect 0 "" "$isoeps" schema check "$name.json" rows.csv
	expect 0 "wrote parts/train.csv" "$isoeps" split "$file" --schema "$name.json" --out parts
	echo "{\"name\": \"$name\", \"datasets\": [{\"name\": \"$name\", \"csv\": \"$file\", \"schema\": \"$name.json\"}], \"epsilons\": [10],
	\"generators\": [\"independent\", \"mst\", \"uniform\", \"memorise\"], \"attacks\": [\"gan-leaks\"], \"metrics\": [\"marginals\", \"tstr\"],
	\"delta\": 1e-3, \"verify\": false}" >suite.json
	expect 0 "4 done now" "$isoeps" run suite.json --out out
	expect 0 "open out/report/index.html" "$isoeps" report out --format html,md,csv
	expect 0 "4 records hold" "$isoeps" check out
	cell=$(ls out/cells | head -n 1)
	expect 0 "status ok" "$isoeps" explain out "${cell%.json}"
	# what reads the rows is nearer to them than what does not, and a copy is a copy
	awk -v i="$(value independent marginals.tvd1_mean)" -v u="$(value uniform marginals.tvd1_mean)" -v m="$(value memorise marginals.tvd1_mean)" \
		'BEGIN { exit !(i < u && m == 0) }' || bad "$name: independent $(value independent marginals.tvd1_mean), uniform $(value uniform marginals.tvd1_mean)"
	expect 0 "schema-validity" "$isoeps" evaluate --train parts/train.csv --holdout parts/holdout.csv --synthetic rows.csv --schema "$name.json" \
		--metrics schema-validity,marginals --attacks gan-leaks
	expect 0 "methods ranked" "$isoeps" compare "$file" --schema "$name.json" --methods independent --epsilon 10 --delta 1e-3 --seeds 1 \
		--metrics marginals --attacks gan-leaks --out cmp
	rm -rf cmp
done
finish
