# Receiver operating characteristic of an attack on logarithmic axes. Data: series,fpr,tpr.
load_terminal = "set terminal ".(format eq "svg" ? "svg size 800,480 dynamic name '".id."' background rgb 'white' font 'sans,13'" : \
	format eq "pdf" ? "pdfcairo size 8in,4.8in font 'Sans,12'" : "pngcairo size 1200,720 font 'Sans,14'")
eval load_terminal
set output stem.".".format
set datafile separator comma
set title head noenhanced
set xlabel "false positive rate"
set ylabel "true positive rate"
set logscale xy
set xrange [lo:1]
set yrange [lo:1]
set grid lc rgb "#dddddd"
set key outside right top noenhanced
color(i) = word("#0072b2 #d55e00 #009e73 #cc79a7 #e69f00 #56b4e9 #7f7f7f #000000 #8c564b #bcbd22", (i - 1) % 10 + 1)
plot x with lines lc rgb "#aaaaaa" dt 3 title "chance", \
	for [i=1:nS] data using (strcol(1) eq S[i] ? $2 : NaN):3 skip 1 with steps lc rgb color(i) lw 1.5 dt 1 + int((i - 1) / 10) title S[i]
