# Privacy against utility, one point per generator setting. Data: series,epsilon,x,y,xlow,xhigh,ylow,yhigh.
load_terminal = "set terminal ".(format eq "svg" ? "svg size 800,480 dynamic name '".id."' background rgb 'white' font 'sans,13'" : \
	format eq "pdf" ? "pdfcairo size 8in,4.8in font 'Sans,12'" : "pngcairo size 1200,720 font 'Sans,14'")
eval load_terminal
set output stem.".".format
set datafile separator comma
set title head noenhanced
set xlabel xlab noenhanced
set ylabel ylab noenhanced
set grid lc rgb "#dddddd"
set key outside right top noenhanced
set offsets graph 0.03, graph 0.03, graph 0.05, graph 0.05
color(i) = word("#0072b2 #d55e00 #009e73 #cc79a7 #e69f00 #56b4e9 #7f7f7f #000000 #8c564b #bcbd22", (i - 1) % 10 + 1)
plot for [i=1:nS] data using (strcol(1) eq S[i] ? $3 : NaN):4:5:6:7:8 skip 1 with xyerrorbars lc rgb color(i) lw 1.5 pt 7 ps 1 title S[i], \
	for [i=1:nS] data using (strcol(1) eq S[i] ? $3 : NaN):4:(stringcolumn(2) eq "inf" ? "" : " eps ".strcol(2)) skip 1 with labels left offset 0.6,0.4 \
	font ",9" tc rgb "#555555" noenhanced notitle
