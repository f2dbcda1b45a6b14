#include "lesion/target.h"

#include "lesion/spec_parser.h"

#include <math.h>
#include <stdio.h>

static void name_part(const les_edit *e, char *part, size_t bytes) {
  static const char *const names[] = {
      [LES_PART_BLOCK] = "block", [LES_PART_ATTN] = "attn", [LES_PART_MLP] = "mlp"};
  if (e->part == LES_PART_HEAD)
    snprintf(part, bytes, "attn.head%d", e->head);
  else
    snprintf(part, bytes, "%s", e->part == LES_PART_LINEAR ? les_linear_name(e->linear) : names[e->part]);
}

static double bits_per_weight(les_dtype type) {
  const les_dtype_info *info = les_dtype_find(type);
  return 8.0 * info->block_bytes / info->block_elements;
}

static void set_dose(const les_edit *e, les_target *t) {
  switch (e->op) {
  case LES_OP_NOISE:
    t->dose_key = "sigma", t->dose = e->sigma;
    return;
  case LES_OP_SVD:
    t->dose_key = e->rank ? "rank" : "keep", t->dose = e->rank ? e->rank : e->keep;
    return;
  case LES_OP_QUANT:
    t->dose_key = "type", t->dose = bits_per_weight(e->dtype);
    return;
  case LES_OP_SCALE:
    t->dose_key = "alpha", t->dose = e->alpha;
    return;
  default:
    return;
  }
}

les_target les_lesion_target(const les_lesion *l) {
  les_target t = {.operation = l->n_edits ? "several" : "none", .dose_key = "", .dose = NAN};
  snprintf(t.part, sizeof t.part, "%s", t.operation);
  if (l->n_edits != 1) return t;
  t.operation = les_op_name(l->edits[0].op);
  name_part(&l->edits[0], t.part, sizeof t.part);
  set_dose(&l->edits[0], &t);
  return t;
}
