// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/nets.h"

/* Layers while they are listed. */
typedef struct stack {
	iso_layer_spec layer[ISO_MAX_LAYERS];
	size_t n;
} stack;

static void push(stack *s, iso_layer_spec layer)
{
	if (s->n < ISO_MAX_LAYERS)
		s->layer[s->n++] = layer;
}

static iso_status check_hidden(iso_hidden hidden, iso_error *err)
{
	ISO_FAIL_IF((size_t)hidden.units[0] > ISO_KIT_LAYERS, err, ISO_E_CONFIG,
		    "hidden: %d layers, at most %d; shorten the list", (int)hidden.units[0],
		    ISO_KIT_LAYERS);
	return ISO_OK;
}

iso_status iso_kit_net(iso_net **net, size_t in, iso_hidden hidden, size_t out, iso_act last,
		       iso_error *err)
{
	stack s = {.n = 0};
	ISO_TRY(check_hidden(hidden, err));
	for (int64_t i = 0; i < hidden.units[0]; i++)
		push(&s, iso_dense((size_t)hidden.units[i + 1], hidden.act));
	push(&s, iso_dense(out, last));
	return iso_net_new(s.layer, s.n, iso_flat(in), net, err);
}

static iso_shape image_of(const iso_net_form *f)
{
	const iso_span *const span = f->enc->span;
	return iso_image(span->dim[0], span->dim[1], span->dim[2]);
}

static iso_status check_conv(const iso_net_form *f, iso_error *err)
{
	const iso_span *const span = f->enc->span;
	ISO_FAIL_IF(f->enc->nspan != 1 || span->kind != ISO_SPAN_IMAGE || span->dim[0] % 4 ||
			    span->dim[1] % 4,
		    err, ISO_E_UNSUPPORTED,
		    "net=conv (%s): the rows must be one image whose height and width are "
		    "divisible by 4, with the label beside it; set net=dense, or label=input if "
		    "the label is a generated column",
		    f->who);
	ISO_FAIL_IF(f->hidden.units[0] < 2, err, ISO_E_CONFIG,
		    "channels (%s): %d layers, at least 2 to go from the image to a quarter of its "
		    "size; lengthen the list",
		    f->who, (int)f->hidden.units[0]);
	return ISO_OK;
}

static iso_status check_lstm(const iso_net_form *f, size_t latent, iso_error *err)
{
	const iso_span *const span = f->enc->span;
	ISO_FAIL_IF(f->enc->nspan != 1 || span->kind != ISO_SPAN_SEQUENCE, err, ISO_E_UNSUPPORTED,
		    "net=lstm (%s): the rows must be one sequence, with the label beside it; set "
		    "net=dense, or label=input if the label is a generated column",
		    f->who);
	ISO_FAIL_IF(latent == 0 || latent % span->dim[0], err, ISO_E_CONFIG,
		    "z_dim (%s): %zu latents for %zu steps; give a multiple of the number of steps",
		    f->who, latent, span->dim[0]);
	return ISO_OK;
}

iso_status iso_net_form_check(const iso_net_form *f, size_t latent, iso_error *err)
{
	ISO_TRY(check_hidden(f->hidden, err));
	ISO_FAIL_IF(f->noise.at > (size_t)f->hidden.units[0], err, ISO_E_CONFIG,
		    "noise (%s): it stands behind layer %zu of %d; lengthen the list of layers",
		    f->who, f->noise.at, (int)f->hidden.units[0]);
	return f->kind == ISO_NET_CONV	 ? check_conv(f, err)
	       : f->kind == ISO_NET_LSTM ? check_lstm(f, latent, err)
					 : ISO_OK;
}

size_t iso_kit_steps(const iso_schema *s)
{
	size_t steps = 0, inside = 0, outside = 0;
	for (size_t k = 0; k < s->ncol; k++) {
		if (iso_is_dropped(&s->column[k]) || (int)k == s->label)
			continue;
		if (s->column[k].sequence == 1) {
			steps = s->sequence[0].steps;
			inside++;
		} else {
			outside++;
		}
	}
	return inside && !outside ? steps : 0;
}

static iso_status lstm_decoder(iso_net **net, const iso_net_form *f, size_t latent, iso_act last,
			       iso_error *err)
{
	const iso_span *const span = f->enc->span;
	const iso_layer_spec layer[] = {
		iso_planes(iso_sequence(span->dim[0], latent / span->dim[0])),
		iso_lstm((size_t)f->hidden.units[1]),
		iso_dense_each(span->dim[1], last),
	};
	return iso_net_new(layer, ISO_COUNT(layer), iso_flat(latent + f->classes), net, err);
}

iso_status iso_decoder_net(iso_net **net, const iso_net_form *f, size_t latent, size_t out,
			   iso_act last, iso_error *err)
{
	const int64_t *const c = f->hidden.units;
	stack s = {.n = 0};
	ISO_TRY(iso_net_form_check(f, latent, err));
	if (f->kind == ISO_NET_LSTM)
		return lstm_decoder(net, f, latent, last, err);
	if (f->kind == ISO_NET_DENSE)
		return iso_kit_net(net, latent + f->classes, f->hidden, out, last, err);
	const iso_shape image = image_of(f);
	const size_t h = image.h / 4, w = image.w / 4, deep = (size_t)c[c[0]];
	push(&s, iso_dense(h * w * deep, f->hidden.act));
	push(&s, iso_reshape(iso_image(h, w, deep)));
	for (int64_t i = c[0] - 1; i >= 2; i--)
		push(&s, iso_conv((size_t)c[i], 3, 1, 1, f->hidden.act));
	push(&s, iso_conv_transposed((size_t)c[1], 4, 2, 1, f->hidden.act));
	push(&s, iso_conv_transposed(image.c, 4, 2, 1, last));
	return iso_net_new(s.layer, s.n, iso_flat(latent + f->classes), net, err);
}

/* Hidden layers from .. to-1 of a scorer; the first with the label's planes in front. */
static void push_hidden(stack *s, const iso_net_form *f, size_t from, size_t to)
{
	const int conv = f->kind == ISO_NET_CONV;
	if (conv && from == 0)
		push(s, iso_planes(image_of(f)));
	for (size_t i = from; i < to; i++) {
		const size_t units = (size_t)f->hidden.units[i + 1];
		push(s, !conv	? iso_dense(units, f->hidden.act)
			: i < 2 ? iso_conv(units, 4, 2, 1, f->hidden.act)
				: iso_conv(units, 3, 1, 1, f->hidden.act));
	}
}

iso_status iso_scorer_net(iso_net **net, const iso_net_form *f, size_t out, iso_error *err)
{
	const size_t n = (size_t)f->hidden.units[0], at = f->noise.at;
	stack s = {.n = 0};
	ISO_TRY(iso_net_form_check(f, 0, err));
	push_hidden(&s, f, 0, at ? at : n);
	if (at) {
		push(&s, iso_norm_clip((float)f->noise.clip));
		push(&s, iso_gaussian_noise((float)f->noise.sd));
		push_hidden(&s, f, at, n);
	}
	push(&s, iso_dense(out, ISO_ACT_LINEAR));
	return iso_net_new(s.layer, s.n, iso_flat(f->enc->dim + f->classes), net, err);
}

iso_status iso_scorer_halves(iso_net **below, iso_net **above, const iso_net_form *f, size_t out,
			     iso_error *err)
{
	const size_t n = (size_t)f->hidden.units[0], at = f->noise.at;
	stack low = {.n = 0}, high = {.n = 0};
	ISO_TRY(iso_net_form_check(f, 0, err));
	push_hidden(&low, f, 0, at);
	ISO_TRY(iso_net_new(low.layer, low.n, iso_flat(f->enc->dim + f->classes), below, err));
	push_hidden(&high, f, at, n);
	push(&high, iso_dense(out, ISO_ACT_LINEAR));
	return iso_net_new(high.layer, high.n, iso_net_out_shape(*below), above, err);
}
