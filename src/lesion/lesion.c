#include "lesion/lesion.h"

#include "lesion/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text as written, with every "each" replaced by the layer. */
static char *expand(const char *text, int layer) {
  char *out = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&out, &n);
  if (!f) return NULL;
  for (const char *at = text; *at;)
    if (!strncmp(at, "@each", 5)) {
      fprintf(f, "@%d", layer);
      at += 5;
    } else {
      fputc(*at++, f);
    }
  return fclose(f) == 0 ? out : (free(out), NULL);
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

/* Parses one spec, `each` standing for layer p->each. */
static les_status parse_lesion(les_spec_parser *p, les_lesion *out) {
  *out = (les_lesion){0};
  les_status status = LES_OK;
  p->at = p->spec;
  if (strcmp(p->spec, "none")) do {
      les_edit *grown = realloc(out->edits, (size_t)(out->n_edits + 1) * sizeof *grown);
      if (!grown) {
        status = les_fail(LES_FAILED, "out of memory");
        break;
      }
      out->edits = grown;
      status = les_edit_parse(p, &grown[out->n_edits++]);
    } while (status == LES_OK && *p->at++ == '+');
  if (status == LES_OK) {
    out->layer = single_layer(out);
    out->family = strdup(p->spec);
    out->spec = expand(p->spec, p->each);
    if (!out->family || !out->spec) status = les_fail(LES_FAILED, "out of memory");
  }
  if (status != LES_OK) lesion_free(out);
  return status;
}

/* A text that two lesions share exactly if they do the same edits. Malloc'ed; NULL: out of memory. */
static char *fingerprint(const les_lesion *l) {
  char *out = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&out, &n);
  if (!f) return NULL;
  for (int i = 0; i < l->n_edits; i++) {
    const les_edit *s = &l->edits[i];
    fprintf(f, "%d.%d.%d.%d:%llu,%.17g,%d,%.17g,%d,%.17g@", s->op, s->part, s->head, s->linear,
            (unsigned long long)s->seed, s->sigma, s->rank, s->keep, s->dtype, s->alpha);
    for (int k = 0; k < s->n_layers; k++) fprintf(f, "%d,", s->layers[k]);
  }
  return fclose(f) == 0 ? out : (free(out), NULL);
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
  if (!prints) return les_fail(LES_FAILED, "out of memory");
  for (int i = 0; i < l->n && status == LES_OK; i++) {
    prints[i] = (print){fingerprint(&l->items[i]), i};
    if (!prints[i].text) status = les_fail(LES_FAILED, "out of memory");
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
    les_lesion *grown = realloc(l->items, (size_t)(l->n + 1) * sizeof *grown);
    if (!grown) return les_fail(LES_FAILED, "out of memory");
    l->items = grown;
    LES_TRY(parse_lesion(&p, &grown[l->n]));
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

const les_lesion *les_lesions_need_means(const les_lesions *l) {
  for (int i = 0; i < l->n; i++)
    for (int k = 0; k < l->items[i].n_edits; k++)
      if (l->items[i].edits[k].op == LES_OP_MEAN) return &l->items[i];
  return NULL;
}
