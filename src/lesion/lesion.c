#include "lesion/lesion.h"

#include "base/buffer.h"
#include "lesion/spec_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text as written, with every "each" replaced by the layer. Malloc'ed; NULL: out of memory. */
static char *expand(const char *text, int layer) {
  les_buffer out = {0};
  char place[16];
  int n = snprintf(place, sizeof place, "@%d", layer);
  while (*text) {
    bool each = !strncmp(text, "@each", 5);
    les_buffer_append(&out, each ? place : text, each ? (size_t)n : 1);
    text += each ? 5 : 1;
  }
  if (out.failed) les_buffer_free(&out);
  return out.data;
}

static void lesion_free(les_lesion *l) {
  for (int i = 0; i < l->n_edits; i++) free(l->edits[i].layers);
  free(l->edits);
  free(l->spec);
  free(l->family);
  *l = (les_lesion){0};
}

static int single_layer(const les_lesion *l) {
  for (int i = 0; i < l->n_edits; i++)
    if (l->edits[i].n_layers != 1 || l->edits[i].layers[0] != l->edits[0].layers[0]) return -1;
  return l->n_edits ? l->edits[0].layers[0] : -1;
}

static les_status parse_edits(les_spec_parser *p, les_lesion *out) {
  p->at = p->spec;
  if (les_spec_is_intact(p->spec)) return les_spec_parse_intact(p, &out->resamples, &out->seed);
  do {
    les_edit *edits = realloc(out->edits, (size_t)(out->n_edits + 1) * sizeof *edits);
    if (!edits) return les_no_memory("lesion '%.300s'", p->spec);
    out->edits = edits;
    LES_TRY(les_spec_parse_edit(p, &edits[out->n_edits++]));
  } while (*p->at++ == '+');
  return LES_OK;
}

/* Parses one spec, `each` standing for layer p->each. */
static les_status parse_lesion(les_spec_parser *p, les_lesion *out) {
  *out = (les_lesion){0};
  les_status status = parse_edits(p, out);
  if (status == LES_OK) {
    out->layer = single_layer(out);
    out->family = strdup(p->spec);
    out->spec = expand(p->spec, p->each);
    if (!out->family || !out->spec) status = les_no_memory("lesion '%.300s'", p->spec);
  }
  if (status != LES_OK) lesion_free(out);
  return status;
}

/* A text that two lesions share exactly if they do the same edits. Malloc'ed; NULL: out of memory. */
static char *fingerprint(const les_lesion *l) {
  les_buffer out = {0};
  char part[256];
  int n = snprintf(part, sizeof part, "%d edits", l->n_edits);
  les_buffer_append(&out, part, (size_t)n);
  if (l->resamples) {
    n = snprintf(part, sizeof part, ", seed %llu", (unsigned long long)l->seed);
    les_buffer_append(&out, part, (size_t)n);
  }
  for (int i = 0; i < l->n_edits; i++) {
    const les_edit *e = &l->edits[i];
    n = snprintf(part, sizeof part, "+%d.%d.%d.%d:%llu,%.17g,%d,%.17g,%d,%.17g@", e->op, e->part, e->head,
                 e->linear, (unsigned long long)e->seed, e->sigma, e->rank, e->keep, e->dtype, e->alpha);
    les_buffer_append(&out, part, (size_t)n);
    for (int k = 0; k < e->n_layers; k++) {
      n = snprintf(part, sizeof part, "%d,", e->layers[k]);
      les_buffer_append(&out, part, (size_t)n);
    }
  }
  if (out.failed) les_buffer_free(&out);
  return out.data;
}

typedef struct print {
  char *text;
  int lesion;
} print;

static int compare_prints(const void *a, const void *b) {
  const print *x = a, *y = b;
  int order = strcmp(x->text, y->text);
  return order ? order : (x->lesion > y->lesion) - (x->lesion < y->lesion);
}

static les_status check_duplicates(const les_lesions *l) {
  les_status status = LES_OK;
  print *prints = calloc((size_t)l->n + 1, sizeof *prints);
  if (!prints) return les_no_memory("%d lesions", l->n);
  for (int i = 0; i < l->n && status == LES_OK; i++) {
    prints[i] = (print){fingerprint(&l->items[i]), i};
    if (!prints[i].text) status = les_no_memory("%d lesions", l->n);
  }
  if (status != LES_OK) goto done;
  qsort(prints, (size_t)l->n, sizeof *prints, compare_prints);
  for (int i = 1; i < l->n && status == LES_OK; i++)
    if (!strcmp(prints[i - 1].text, prints[i].text))
      status =
          les_fail(LES_USAGE, "lesion '%.300s': given twice (the same as '%.300s'); name each lesion once",
                   l->items[prints[i].lesion].spec, l->items[prints[i - 1].lesion].spec);
done:
  for (int i = 0; i < l->n; i++) free(prints[i].text);
  free(prints);
  return status;
}

/* Appends the lesion or, if it says `each`, one for each layer. */
static les_status append_spec(les_lesions *l, const char *spec, const les_hparams *hparams) {
  les_spec_parser p = {.spec = spec, .hparams = hparams};
  for (p.each = 0; p.each == 0 || (p.used_each && p.each < hparams->n_layers); p.each++) {
    les_lesion *items = realloc(l->items, (size_t)(l->n + 1) * sizeof *items);
    if (!items) return les_no_memory("%d lesions", l->n + 1);
    l->items = items;
    LES_TRY(parse_lesion(&p, &items[l->n]));
    l->n++;
  }
  return LES_OK;
}

les_status les_lesions_parse(les_lesions *out, const char *const *specs, int n, const les_hparams *hparams) {
  les_status status = LES_OK;
  *out = (les_lesions){0};
  for (int i = 0; i < n && status == LES_OK; i++) status = append_spec(out, specs[i], hparams);
  if (status == LES_OK) status = check_duplicates(out);
  if (status != LES_OK) les_lesions_free(out);
  return status;
}

void les_lesions_free(les_lesions *l) {
  for (int i = 0; i < l->n; i++) lesion_free(&l->items[i]);
  free(l->items);
  *l = (les_lesions){0};
}

const les_lesion *les_lesions_resampled(const les_lesions *l) {
  for (int i = 0; i < l->n; i++)
    if (l->items[i].resamples) return &l->items[i];
  return NULL;
}

const les_lesion *les_lesions_need_means(const les_lesions *l) {
  for (int i = 0; i < l->n; i++)
    for (int k = 0; k < l->items[i].n_edits; k++)
      if (l->items[i].edits[k].op == LES_OP_MEAN) return &l->items[i];
  return NULL;
}
