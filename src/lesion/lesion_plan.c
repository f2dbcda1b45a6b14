#include "lesion/lesion_plan.h"

#include "lesion/weight_edit.h"

#include <stdlib.h>

static les_status make_layer(les_lesion_plan *p, const les_model *model, int l) {
  if (p->layers[l]) return LES_OK;
  les_layer_plan *lp = p->layers[l] = calloc(1, sizeof *lp);
  if (!lp) return les_no_memory("the plan of layer %d", l);
  lp->layer = model->layers[l];
  lp->block.a = lp->attn.a = lp->mlp.a = 1;
  if (l < p->first_layer) p->first_layer = l;
  return LES_OK;
}

static les_status make_heads(les_layer_plan *lp, int n_heads) {
  if (lp->heads) return LES_OK;
  lp->heads = calloc((size_t)n_heads, sizeof *lp->heads);
  if (!lp->heads) return les_no_memory("the plan of %d heads", n_heads);
  for (int h = 0; h < n_heads; h++) lp->heads[h].a = 1;
  return LES_OK;
}

static void compose(les_affine *f, const les_edit *edit, const float *mean) {
  switch (edit->op) {
  case LES_OP_SCALE:
    f->a *= (float)edit->alpha;
    f->b *= (float)edit->alpha;
    break;
  case LES_OP_MEAN:
    *f = (les_affine){0, 1, mean};
    break;
  default:
    *f = (les_affine){0};
  }
}

/* skip, scale and mean: what the part adds to the residual stream. */
static les_status change_contribution(les_layer_plan *lp, int l, const les_edit *edit, const les_model *model,
                                      const les_means *means) {
  size_t at = (size_t)l * (size_t)model->hparams.n_embd;
  switch (edit->part) {
  case LES_PART_BLOCK:
    compose(&lp->block, edit, means ? means->block + at : NULL);
    return LES_OK;
  case LES_PART_ATTN:
    compose(&lp->attn, edit, means ? means->attn + at : NULL);
    return LES_OK;
  case LES_PART_MLP:
    compose(&lp->mlp, edit, means ? means->mlp + at : NULL);
    return LES_OK;
  default:
    LES_TRY(make_heads(lp, model->hparams.n_heads));
    at = ((size_t)l * (size_t)model->hparams.n_heads + (size_t)edit->head) * (size_t)model->hparams.head_dim;
    compose(&lp->heads[edit->head], edit, means ? means->heads + at : NULL);
    return LES_OK;
  }
}

static les_status apply(les_lesion_plan *p, const les_model *model, const les_edit *edit,
                        const les_means *means) {
  if (edit->op == LES_OP_MEAN && !means)
    return les_fail(LES_FAILED, "a mean lesion needs a calibration text: give one with `calibration`");
  for (int i = 0; i < edit->n_layers; i++) {
    int l = edit->layers[i];
    LES_TRY(make_layer(p, model, l));
    if (les_operation_of(edit->op)->changes_contribution)
      LES_TRY(change_contribution(p->layers[l], l, edit, model, means));
    else
      LES_TRY(les_weight_edit_apply(p->weight_edit, edit, l, &p->layers[l]->layer));
  }
  return LES_OK;
}

les_status les_lesion_plan_open(les_lesion_plan **out, const les_model *model, const les_lesion *lesion,
                                const les_means *means, int threads) {
  les_status status = LES_OK;
  les_lesion_plan *p = *out = calloc(1, sizeof *p);
  if (!p) return les_no_memory("the plan of lesion '%.300s'", lesion->spec);
  p->first_layer = p->n_layers = model->hparams.n_layers;
  p->layers = calloc((size_t)p->n_layers, sizeof *p->layers);
  if (!p->layers) status = les_no_memory("a plan of %d layers", p->n_layers);
  if (status == LES_OK) status = les_weight_edit_open(&p->weight_edit, model, lesion, threads);
  for (int i = 0; i < lesion->n_edits && status == LES_OK; i++)
    status = apply(p, model, &lesion->edits[i], means);
  p->bytes = les_lesion_plan_bytes(model, lesion);
  if (status == LES_OK) return LES_OK;
  les_lesion_plan_close(out);
  return les_fail_in(status, "lesion '%.300s'", lesion->spec);
}

void les_lesion_plan_close(les_lesion_plan **lesion_plan) {
  if (!*lesion_plan) return;
  for (int l = 0; (*lesion_plan)->layers && l < (*lesion_plan)->n_layers; l++)
    if ((*lesion_plan)->layers[l]) {
      free((*lesion_plan)->layers[l]->heads);
      free((*lesion_plan)->layers[l]);
    }
  les_weight_edit_close(&(*lesion_plan)->weight_edit);
  free((*lesion_plan)->layers);
  free(*lesion_plan);
  *lesion_plan = NULL;
}

size_t les_lesion_plan_bytes(const les_model *model, const les_lesion *lesion) {
  return les_weight_edit_bytes(model, lesion);
}
