#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page in a browser (Debian's chromium, headless): sorting with its way back, filters, drill-down, unique ids, names of
# figures, no error of a script; and the LaTeX tables under Debian's texlive: nothing wider than its column.
. "$(dirname "$0")/lib.sh"

cat >s.json <<'EOF'
{"name": "s", "title": "A page", "datasets": [{"name": "sim-census", "options": {"rows": 300}}, "wdbc"], "rows": 100, "seeds": 3,
 "epsilons": [1, 8], "generators": ["independent", "memorise", "uniform", "pate-gan"], "attack_targets": 50,
 "metrics": ["marginals", {"name": "tstr", "options": {"classifiers": "lr"}}], "attacks": ["gan-leaks"]}
EOF
expect 0 "" "$isoeps" run s.json --out o --jobs 2
expect 0 "" "$isoeps" report o
ran=0

if command -v chromium >/dev/null 2>&1; then
	ran=1
	cat >probe.js <<'EOF'
<script>
(function(){
var said=[];function check(ok,what){said.push((ok?'ok ':'FAILED ')+what)}
function all(q,r){return Array.from((r||document).querySelectorAll(q))}
var t=document.querySelector('section.answer table'),body=t.tBodies[0],order=function(){return Array.from(body.rows).map(function(r){return r.cells[1].textContent}).join()};
var first=order(),head=all('thead th',t)[3],button=head.firstElementChild;
function column(){return Array.from(body.rows).map(function(r){return parseFloat(r.cells[3].dataset.v)}).filter(function(x){return !isNaN(x)})}
function sorted(v,d){for(var i=1;i<v.length;i++)if(d*(v[i]-v[i-1])<0)return false;return v.length>2}
button.click();check(sorted(column(),1)&&head.getAttribute('aria-sort')==='ascending','ascending');
button.click();check(sorted(column(),-1)&&head.getAttribute('aria-sort')==='descending','descending');
button.click();check(order()===first&&!head.hasAttribute('aria-sort'),'reset');
var f=document.querySelector('form.filters');
f.d.value='1';f.dispatchEvent(new Event('change'));
check(all('[data-d]').filter(function(x){return !x.hidden}).length===1,'data set');
f.d.value='';f.e.value='8';f.dispatchEvent(new Event('change'));
check(all('section.answer').every(function(s){return s.hidden===(s.dataset.e!=='8')}),'epsilon');
f.m.value='0';f.dispatchEvent(new Event('change'));
check(all('tr[data-m]').every(function(r){return r.dataset.m==='0'||r.hidden}),'method');
f.reset();
setTimeout(function(){
check(all('[hidden]').length===0,'show all');
var link=t.querySelector('th[scope=row] a'),target=document.getElementById(link.getAttribute('href').slice(1));
check(target&&/explain/.test(target.textContent),'drill-down');
var ids=all('[id]').map(function(x){return x.id});check(new Set(ids).size===ids.length,'unique ids');
check(all('figure svg').length>5&&all('figure svg').every(function(s){return s.getAttribute('role')==='img'&&s.querySelector('title').textContent.length>10}),'titles of figures');
check(all('table').every(function(x){return x.caption}),'captions');
var stops=all('a[href],button,select,summary,[tabindex]').filter(function(x){return x.tabIndex>=0&&!x.closest('details:not([open]) > :not(summary)')}).length;
check(stops<40,'stops of the keyboard: '+stops);
check(document.documentElement.scrollWidth<=window.innerWidth,'no sideways scrolling of the page');
/* WCAG 2.1, 1.4.3: text against what is painted behind it, 4.5 to 1, and 3 to 1 for large text */
function rgb(c){var m=c.match(/[\d.]+/g).map(Number);return m.length<4||m[3]>0.5?m:null}
function light(c){var v=c.slice(0,3).map(function(x){x/=255;return x<=0.03928?x/12.92:Math.pow((x+0.055)/1.055,2.4)});return 0.2126*v[0]+0.7152*v[1]+0.0722*v[2]}
function behind(e){for(;e;e=e.parentElement){var b=rgb(getComputedStyle(e).backgroundColor);if(b)return b}return [255,255,255]}
var weak=[],seen=0;
all('body *').forEach(function(e){if(e.closest('svg,script,style')||!e.getClientRects().length||!Array.from(e.childNodes).some(function(n){return n.nodeType===3&&n.data.trim()}))return;
var s=getComputedStyle(e),a=light(rgb(s.color)||[0,0,0]),b=light(behind(e)),large=parseFloat(s.fontSize)>=24||(parseFloat(s.fontSize)>=18.66&&s.fontWeight>=700);seen++;
if((Math.max(a,b)+0.05)/(Math.min(a,b)+0.05)<(large?3:4.5))weak.push(e.tagName+'.'+e.className+' '+s.color+' on '+behind(e))});
check(seen>100&&!weak.length,'contrast of '+seen+' texts '+weak.slice(0,3).join('; '));
var dark=matchMedia('(prefers-color-scheme: dark)').matches;check(dark===(location.hash==='#dark'),'colour scheme '+(dark?'dark':'light'));
var p=document.createElement('pre');p.textContent='PROBE\n'+said.join('\n')+'\nERRORS '+window.errors.length+' '+window.errors.join(';')+'\nEND';document.body.appendChild(p)},50);
})();
</script></body>
EOF
	{ sed 's|<head>|<head><script>window.errors=[];window.onerror=function(m){window.errors.push(m)}</script>|' o/report/index.html |
		sed '$d'; sed -n '$p' o/report/index.html | sed 's|</body></html>||'; cat probe.js; echo '</html>'; } >probe.html
	for case in "1280 1 light" "400 1 light" "1280 0 dark"; do
		set -- $case
		width=$1
		timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/chrome" --virtual-time-budget=4000 \
			--blink-settings=preferredColorScheme=$2 --window-size=$width,900 --dump-dom "file://$work/probe.html#$3" 2>chrome.log | sed -n '/<pre>PROBE/,/^END/p' >said
		count=$((count + 1))
		[ "$(grep -c '^ok ' said)" -eq 15 ] || bad "at $width: $(cat said)"
		grep -q '^ERRORS 0' said || bad "errors of the page at $width: $(grep ERRORS said)"
	done
else
	echo "chromium is missing: the page was not tried in a browser"
fi

if command -v pdflatex >/dev/null 2>&1; then
	ran=1
	printf '%s\n' '\documentclass[twocolumn]{article}' '\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}' \
		'\usepackage{textcomp,booktabs,graphicx,siunitx}' '\begin{document}' '\input{paper}' '\end{document}' >o/report/tables/main.tex
	{
		printf '%s\n' '\documentclass{article}' '\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}' \
			'\usepackage{textcomp,booktabs,longtable,array}' '\begin{document}'
		for f in o/report/tables/*-*.tex; do printf '%s\n' "\\input{$(basename "$f" .tex)}"; done
		printf '%s\n' '\end{document}'
	} >o/report/tables/appendix.tex
	for f in main appendix; do
		count=$((count + 1))
		(cd o/report/tables && timeout 60 pdflatex -halt-on-error -interaction=nonstopmode $f.tex >$f.out 2>&1) ||
			bad "pdflatex $f.tex: $(grep -A3 '^!' o/report/tables/$f.out | head -5)"
		wide=$(grep -c 'Overfull .hbox' o/report/tables/$f.out)
		[ "$wide" -eq 0 ] || bad "$f.tex: $wide lines are too wide: $(grep 'Overfull .hbox' o/report/tables/$f.out | sort | uniq -c | sort -rn | head -3)"
	done
else
	echo "pdflatex is missing: the LaTeX tables were not compiled"
fi
[ "$ran" -eq 1 ] || exit 77
finish
