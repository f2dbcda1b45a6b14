#include "lesion/lesion_plan.h"

#include "lesion/weight_edit.h"

#include <stdlib.h>

static les_status open_layer(les_lesion_plan *p, const les_model *model, int l) {
  if (p->layers[l]) return LES_OK;
  les_layer_plan *lp = p->layers[l] = calloc(1, sizeof *lp);
  if (!lp) return les_fail(LES_FAILED, "out of memory");
  lp->layer = model->layers[l];
  lp->block.a = lp->attn.a = lp->mlp.a = 1;
  if (l < p->first_layer) p->first_layer = l;
  return LES_OK;
}

static les_status open_heads(les_layer_plan *lp, int n_heads) {
  if (lp->heads) return LES_OK;
  lp->heads = calloc((size_t)n_heads, sizeof *lp->heads);
  if (!lp->heads) return les_fail(LES_FAILED, "out of memory");
  for (int h = 0; h < n_heads; h++) lp->heads[h].a = 1;
  return LES_OK;
}

static void compose(les_affine *f, const les_edit *s, const float *mean) {
  switch (s->op) {
  case LES_OP_SCALE:
    f->a *= (float)s->alpha;
    f->b *= (float)s->alpha;
    break;
  case LES_OP_MEAN:
    *f = (les_affine){0, 1, mean};
    break;
  default:
    *f = (les_affine){0};
  }
}

/* skip, scale and mean: what the part adds to the residual stream. */
static les_status change_contribution(les_layer_plan *lp, int l, const les_edit *s, const les_model *model,
                                      const les_means *means) {
  size_t at = (size_t)l * (size_t)model->hparams.n_embd;
  switch (s->part) {
  case LES_PART_BLOCK:
    compose(&lp->block, s, means ? means->block + at : NULL);
    return LES_OK;
  case LES_PART_ATTN:
    compose(&lp->attn, s, means ? means->attn + at : NULL);
    return LES_OK;
  case LES_PART_MLP:
    compose(&lp->mlp, s, means ? means->mlp + at : NULL);
    return LES_OK;
  default:
    LES_TRY(open_heads(lp, model->hparams.n_heads));
    at = ((size_t)l * (size_t)model->hparams.n_heads + (size_t)s->head) * (size_t)model->hparams.head_dim;
    compose(&lp->heads[s->head], s, means ? means->heads + at : NULL);
    return LES_OK;
  }
}

static bool changes_contribution(const les_edit *s) {
  return s->op == LES_OP_SKIP || s->op == LES_OP_SCALE || s->op == LES_OP_MEAN;
}

static les_status apply(les_lesion_plan *p, const les_model *model, const les_edit *s,
                        const les_means *means) {
  if (s->op == LES_OP_MEAN && !means)
    return les_fail(LES_FAILED, "a mean lesion needs a calibration text: give one with `calibration`");
  for (int i = 0; i < s->n_layers; i++) {
    int l = s->layers[i];
    LES_TRY(open_layer(p, model, l));
    if (changes_contribution(s))
      LES_TRY(change_contribution(p->layers[l], l, s, model, means));
    else
      LES_TRY(les_weight_edit_apply(p->surgery, s, l, &p->layers[l]->layer));
  }
  return LES_OK;
}

les_status les_lesion_plan_open(les_lesion_plan **out, const les_model *model, const les_lesion *lesion,
                                const les_means *means, int threads) {
  les_status status = LES_OK;
  les_lesion_plan *p = *out = calloc(1, sizeof *p);
  if (!p) return les_fail(LES_FAILED, "out of memory");
  p->first_layer = p->n_layers = model->hparams.n_layers;
  p->layers = calloc((size_t)p->n_layers, sizeof *p->layers);
  if (!p->layers) status = les_fail(LES_FAILED, "out of memory");
  if (status == LES_OK) status = les_weight_edit_open(&p->surgery, model, lesion, threads);
  for (int i = 0; i < lesion->n_edits && status == LES_OK; i++)
    status = apply(p, model, &lesion->edits[i], means);
  p->bytes = les_lesion_plan_bytes(model, lesion);
  if (status == LES_OK) return LES_OK;
  les_lesion_plan_close(out);
  return les_fail_in(status, "lesion '%.300s'", lesion->spec);
}

void les_lesion_plan_close(les_lesion_plan **plan) {
  if (!*plan) return;
  for (int l = 0; (*plan)->layers && l < (*plan)->n_layers; l++)
    if ((*plan)->layers[l]) {
      free((*plan)->layers[l]->heads);
      free((*plan)->layers[l]);
    }
  les_weight_edit_close(&(*plan)->surgery);
  free((*plan)->layers);
  free(*plan);
  *plan = NULL;
}

size_t les_lesion_plan_bytes(const les_model *model, const les_lesion *lesion) {
  return les_weight_edit_bytes(model, lesion);
}
