/* Lesions: what is disabled in a model, as the user writes it and as the forward pass applies it.
 *
 *   OP@LAYERS[.PART][:key=value,...] joined by '+'; "none" is the intact model, "none:seed=S" the intact
 *   model whose tokens are sampled with the seed S: a control that shows what sampling alone does.
 *
 * A lesion is data; lesion_plan.h makes it concrete for a loaded model. */
#ifndef LES_LESION_LESION_H
#define LES_LESION_LESION_H

#include "lesion/edit.h"

/* One lesion after expansion of `each`. */
typedef struct les_lesion {
  char *spec;   /* as written, `each` replaced by the layer: "skip@3.attn"; unique among a job's lesions */
  char *family; /* as written: "skip@each.attn"; equal to spec if nothing was expanded */
  int layer;    /* the one layer it touches; -1: several; -1 for "none" too */
  les_edit *edits;
  int n_edits;    /* 0: the intact model */
  bool resamples; /* "none:seed=S": tokens are sampled with `seed` in place of the engine's */
  uint64_t seed;
} les_lesion;

typedef struct les_lesions {
  les_lesion *items;
  int n;
} les_lesions;

/* Parses n specs, expands `each`, and checks every one against the model's shape. LES_USAGE if a spec is
 * wrong, does not fit the model, or means the same as another ("skip@0-1" and "skip@0,1"); the message quotes
 * it and says what would be right. */
les_status les_lesions_parse(les_lesions *out, const char *const *specs, int n, const les_hparams *hparams);
void les_lesions_free(les_lesions *l);

/* The first lesion that samples with a seed of its own; NULL: none. */
const les_lesion *les_lesions_resampled(const les_lesions *l);

/* The first lesion with a `mean` edit, which needs the means of a calibration text; NULL: none. */
const les_lesion *les_lesions_need_means(const les_lesions *l);

#endif
