#include "lesion/target.h"

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

static double value_of(const les_edit *e, les_op_key key) {
  switch (key) {
  case LES_KEY_SIGMA:
    return e->sigma;
  case LES_KEY_RANK:
    return e->rank;
  case LES_KEY_KEEP:
    return e->keep;
  case LES_KEY_TYPE:
    return bits_per_weight(e->dtype);
  case LES_KEY_ALPHA:
    return e->alpha;
  default: /* a seed is no dose */
    return NAN;
  }
}

static void set_dose(const les_edit *e, les_target *t) {
  int dose = les_operation_of(e->op)->dose;
  for (int key = 0; key < LES_N_OP_KEYS; key++) {
    if (!(dose >> key & 1) || (key == LES_KEY_RANK && e->rank == 0)) continue; /* rank 0: by keep */
    t->dose_key = les_op_key_name(key);
    t->dose = value_of(e, key);
    return;
  }
}

les_target les_lesion_target(const les_lesion *l) {
  les_target t = {.operation = l->n_edits ? "several" : "none", .dose_key = "", .dose = NAN};
  snprintf(t.part, sizeof t.part, "%s", t.operation);
  if (l->n_edits != 1) return t;
  t.operation = les_operation_of(l->edits[0].op)->name;
  name_part(&l->edits[0], t.part, sizeof t.part);
  set_dose(&l->edits[0], &t);
  return t;
}
