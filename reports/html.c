// SPDX-License-Identifier: Apache-2.0
#include "reports/html.h"

#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"

static const char style[] =
	":root{color-scheme:light "
	"dark;--bg:#fff;--fg:#1b1f24;--soft:#59636e;--line:#d5dbe1;--head:#f3f5f7;--link:#0b57d0}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;--soft:#9aa4ae;--line:#"
	"343b42;--head:#1e2327;--link:#8ab4f8}}\n"
	"body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0 "
	"auto;max-width:1280px;padding:1.2rem}\n"
	"h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.25rem;border-bottom:1px solid "
	"var(--line);padding-bottom:.2rem;margin-top:2.2rem}\n"
	"h3{font-size:1.02rem;margin:1.4rem 0 .4rem}p.note,p.lead{color:var(--soft);margin:.25rem "
	"0;max-width:75rem}p.note{font-size:.85rem}\n"
	"a{color:var(--link)}nav a{margin-right:1rem}.scroll{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}\n"
	"th,td{border:1px solid var(--line);padding:.25rem "
	".5rem;white-space:nowrap;text-align:left}td.n{text-align:right}\n"
	"th{background:var(--head);padding:0}th "
	"button{all:unset;cursor:pointer;display:block;padding:.25rem .5rem;font-weight:600}\n"
	"th button:focus-visible{outline:2px solid var(--link)}th[aria-sort=ascending] "
	"button::after{content:\" \\25B2\"}\n"
	"th[aria-sort=descending] button::after{content:\" \\25BC\"}\n"
	".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(560px,100%),1fr));"
	"gap:1rem}\n"
	"figure{margin:0;background:#fff;color:#1b1f24;border:1px solid "
	"var(--line);border-radius:6px;padding:.5rem}\n"
	"figure svg{width:100%;height:auto}figure "
	"img{max-width:100%;image-rendering:pixelated;min-width:50%}\n"
	"figcaption{font-size:.85rem;color:#444c55}\n"
	"@media print{body{max-width:none}.scroll{overflow:visible}th "
	"button::after{content:\"\"!important}table{font-size:.6rem}}\n";

/* Sorts a table by the column whose head was pressed; numbers by data-v. */
static const char script[] =
	"document.querySelectorAll('table.sortable').forEach(function(t){t.querySelectorAll('th')."
	"forEach(function(h,k){"
	"h.firstElementChild.addEventListener('click',function(){var "
	"up=h.getAttribute('aria-sort')!=='ascending';"
	"t.querySelectorAll('th').forEach(function(o){o.removeAttribute('aria-sort')});"
	"h.setAttribute('aria-sort',up?'ascending':'descending');var b=t.tBodies[0];"
	"Array.from(b.rows).map(function(r){var "
	"c=r.cells[k];return{r:r,v:c.dataset.v===undefined?null:parseFloat(c.dataset.v),"
	"s:c.textContent}}).sort(function(x,y){var "
	"d=x.v!==null&&y.v!==null?x.v-y.v:(x.v===null)-(y.v===null)||"
	"x.s.localeCompare(y.s);return up?d:-d}).forEach(function(o){b.appendChild(o.r)})})})});\n";

static void head(const char *title, const char *description, iso_str *out)
{
	iso_str_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			 "<meta name=\"viewport\" "
			 "content=\"width=device-width,initial-scale=1\">\n<title>isoeps: ");
	iso_html_escape(title, out);
	iso_str_add(out, "</title>\n<style>\n");
	iso_str_add(out, style);
	iso_str_add(out, "</style></head><body>\n<h1>isoeps: ");
	iso_html_escape(title, out);
	iso_str_add(out, "</h1>\n");
	if (*description) {
		iso_str_add(out, "<p class=\"lead\">");
		iso_html_escape(description, out);
		iso_str_add(out, "</p>\n");
	}
}

static void legend(const iso_aggregate *a, iso_str *out)
{
	iso_str_addf(
		out,
		"<p class=\"lead\">%zu cells on %zu data set%s. Press a column head to sort.</p>\n",
		a->records->n, a->ndataset, a->ndataset == 1 ? "" : "s");
	iso_str_add(out, "<p class=\"lead\"><b>dp</b>: the guarantee is proved and every release "
			 "is in the ledger. <b>heuristic</b>: noise, "
			 "but no proof. <b>none</b>: no claim. <b>accounted</b> epsilon is what "
			 "the ledger metered; <b>claimed</b> is what a "
			 "paper states; inf = no finite guarantee.</p>\n<nav>");
	for (size_t i = 0; i < a->ndataset; i++) {
		iso_str_addf(out, "<a href=\"#d%zu\">", i);
		iso_html_escape(a->dataset[i], out);
		iso_str_add(out, "</a>");
	}
	iso_str_add(out, "</nav>\n");
}

/* The picture inline: SVG as such, an image grid as a data address. */
static iso_status picture(const iso_figure *f, const char *dir, iso_str *out, iso_error *err)
{
	iso_str path = {0};
	char *bytes = NULL, *svg;
	size_t n = 0;
	iso_status st;

	iso_str_addf(&path, "%s/%s.%s", dir, f->stem, f->png_only ? "png" : "svg");
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_file_read(path.p, 0, &bytes, &n, err));
	iso_str_addf(out, "<figure>");
	if (f->png_only) {
		iso_str_add(out, "<img alt=\"");
		iso_html_escape(f->title, out);
		iso_str_add(out, "\" src=\"data:image/png;base64,");
		iso_base64((const unsigned char *)bytes, n, out);
		iso_str_add(out, "\">");
	} else if ((svg = strstr(bytes, "<svg")) != NULL) {
		iso_str_add(out, svg);
	}
	iso_str_add(out, "<figcaption>");
	iso_html_escape(f->title, out);
	iso_str_add(out, "</figcaption></figure>\n");
out:
	iso_free(bytes);
	iso_str_free(&path);
	return st;
}

iso_status iso_html_page(const char *title, const char *description, const iso_aggregate *a,
			 const iso_rtables *tables, const iso_figures *figures,
			 const char *figures_dir, iso_str *out, iso_error *err)
{
	head(title, description, out);
	legend(a, out);
	if (figures->no_gnuplot)
		iso_str_add(out, "<p class=\"note\">gnuplot was not found: the figures' data and "
				 "scripts are in figures/; install "
				 "gnuplot and run the report again to draw them.</p>\n");
	for (size_t i = 0; i < a->ndataset; i++) {
		int first = 1;

		iso_str_addf(out, "<h2 id=\"d%zu\">", i);
		iso_html_escape(a->dataset[i], out);
		iso_str_add(out, "</h2>\n");
		for (size_t j = 0; j < tables->n; j++) {
			if (tables->v[j].dataset != i)
				continue;
			iso_rtable_html(&tables->v[j], out);
			if (!first)
				continue;
			first = 0; /* the figures follow the overview */
			iso_str_add(out, "<div class=\"figures\">\n");
			for (size_t k = 0; k < figures->n; k++)
				if (figures->v[k].drawn && figures->v[k].dataset == i)
					ISO_TRY(picture(&figures->v[k], figures_dir, out, err));
			iso_str_add(out, "</div>\n");
		}
	}
	iso_str_add(out, "<script>");
	iso_str_add(out, script);
	iso_str_add(out, "</script></body></html>\n");
	return iso_str_check(out, err);
}
