# A value against epsilon: one line with a confidence band per private generator, a dashed level per non-private one.
# Data: series,private,epsilon,mean,low,high.  Variables: stem, data, head, ylab, and the arrays S (private) and H (levels).
load_terminal = "set terminal ".(format eq "svg" ? "svg size 800,480 dynamic name '".id."' background rgb 'white' font 'sans,13'" : \
	format eq "pdf" ? "pdfcairo size 8in,4.8in font 'Sans,12'" : "pngcairo size 1200,720 font 'Sans,14'")
eval load_terminal
set output stem.".".format
set datafile separator comma
set title head noenhanced
set xlabel "epsilon"
set ylabel ylab noenhanced
set logscale x
set xtics add autofreq
set grid lc rgb "#dddddd"
set key outside right top noenhanced
set style fill transparent solid 0.15 noborder
color(i) = word("#0072b2 #d55e00 #009e73 #cc79a7 #e69f00 #56b4e9 #7f7f7f #000000 #8c564b #bcbd22", (i - 1) % 10 + 1)
set xrange [xlo:xhi]
plot for [i=1:nS] data using (strcol(1) eq S[i] ? $3 : NaN):5:6 skip 1 with filledcurves lc rgb color(i) notitle, \
	for [i=1:nS] data using (strcol(1) eq S[i] ? $3 : NaN):4:5:6 skip 1 with yerrorlines lc rgb color(i) lw 2 pt 7 ps 0.8 title S[i], \
	for [i=1:nH] data using (xlo):(strcol(1) eq H[i] ? $4 : NaN):(xhi-xlo):(0) skip 1 with vectors nohead lc rgb color(nS + i) lw 2 dt 2 title H[i]
