# Claimed, accounted and audited epsilon per generator. Data: series,claimed,accounted,audited (empty = none, "inf" = none finite).
load_terminal = "set terminal ".(format eq "svg" ? "svg size 800,480 dynamic name '".id."' background rgb 'white' font 'sans,13'" : \
	format eq "pdf" ? "pdfcairo size 8in,4.8in font 'Sans,12'" : "pngcairo size 1200,720 font 'Sans,14'")
eval load_terminal
set output stem.".".format
set datafile separator comma
set title head noenhanced
set ylabel "epsilon"
set grid y lc rgb "#dddddd"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 noborder
set xtics rotate by -30 noenhanced
set key outside right top
set bmargin 7
set logscale y
set yrange [ylo:yhi]
bar(s) = s eq "" ? NaN : s eq "inf" ? yhi : real(s)
# Only the bars that exist: a histogram without a point is an error.
bars = ""
if (has_claimed) bars = bars.", data using (bar(strcol(2))):xtic(1) skip 1 lc rgb '#e69f00' title 'claimed'"
if (has_accounted) bars = bars.", data using (bar(strcol(3))):xtic(1) skip 1 lc rgb '#0072b2' title 'accounted (full height: infinite)'"
if (has_audited) bars = bars.", data using (bar(strcol(4))):xtic(1) skip 1 lc rgb '#d55e00' title 'audited lower bound'"
eval "plot ".substr(bars, 3, strlen(bars))
