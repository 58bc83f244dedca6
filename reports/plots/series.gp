# One figure of isoeps. Data: series,label,x,y,low,high,xlow,xhigh. The lines above set: data, stem, N and per series its
# title T, kind K (1 line with band, 2 level, 3 plain line, 4 points with intervals, 5 front, 6 cloud, 7 thick bar), colour C, marker P, dash D.
# Sizes: single column (columns=1, 8.5 cm) or double (columns=2, 17.5 cm), 8 pt; without a title, which is the caption's.
if (!exists("formats")) formats = "svg pdf png"
if (!exists("columns")) columns = 1
wide = columns == 1 ? 8.5 : 17.5
terminal(f) = f eq "pdf" ? sprintf("pdfcairo size %gcm,%gcm font 'Sans,8' linewidth 0.8 pointscale 0.7", wide, 7.0 + keyrows * 0.35) : \
	f eq "svg" ? sprintf("svg size 640,%d dynamic name '%s' font 'sans,14'", 430 + keyrows * 20, id) : \
	sprintf("pngcairo size 1280,%d font 'Sans,20' linewidth 1.8 pointscale 2.2", 860 + keyrows * 40)
set datafile separator comma
set datafile commentschars ''
set xlabel xlab noenhanced offset 0,0.6
set format x '%g'
set format y '%g'
set ylabel ylab noenhanced
if (xlog) set logscale x
if (ylog) set logscale y
set tics nomirror out scale 0.5
set border 3
set grid lc rgb "#cccccc" lw 0.5
set key below center horizontal noenhanced samplen 2 spacing 1.1 maxrows keyrows
set style fill transparent solid 0.12 noborder
do for [f in formats] {
	eval "set terminal ".terminal(f)
	set output stem.".".f
	plot for [i=1:N] data using (K[i] == 1 && $1 == i ? $3 : NaN):5:6 skip 1 with filledcurves lc rgb C[i] notitle, \
		for [i=1:N] data using (K[i] == 1 && $1 == i ? $3 : NaN):4:5:6 skip 1 with yerrorbars lc rgb C[i] lw 1 pt P[i] ps 0.01 notitle, \
		for [i=1:N] data using (K[i] == 2 && $1 == i ? $3 : NaN):4 skip 1 with lines lc rgb C[i] lw 1.5 dt D[i] title (K[i] == 2 ? T[i] : ''), \
		for [i=1:N] data using (K[i] == 3 && $1 == i ? $3 : NaN):4 skip 1 with lines lc rgb C[i] lw 2 dt D[i] title (K[i] == 3 ? T[i] : ''), \
		for [i=1:N] data using (K[i] == 5 && $1 == i ? $3 : NaN):4 skip 1 with steps lc rgb C[i] lw 1 dt 3 title (K[i] == 5 ? T[i] : ''), \
		for [i=1:N] data using (K[i] == 4 && $1 == i ? $3 : NaN):4:7:8:5:6 skip 1 with xyerrorbars lc rgb C[i] lw 1 pt P[i] ps size title (K[i] == 4 ? T[i] : ''), \
		for [i=1:N] data using (K[i] == 6 && $1 == i ? $3 : NaN):4 skip 1 with points lc rgb C[i] lw 1 pt P[i] ps size title (K[i] == 6 ? T[i] : ''), \
		for [i=1:N] data using (K[i] == 7 && $1 == i ? $3 : NaN):4 skip 1 with lines lc rgb C[i] lw 4 title (K[i] == 7 ? T[i] : ''), \
		for [i=1:N] data using (K[i] == 1 && $1 == i ? $3 : NaN):4 skip 1 with linespoints lc rgb C[i] lw 2 pt P[i] ps size dt D[i] title (K[i] == 1 ? T[i] : '')
	unset output
}
