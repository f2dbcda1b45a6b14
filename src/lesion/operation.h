/* The operations of lesions: how a spec writes them, what they apply to, and which keys they take. A table
 * (operation.c) with a row each, from which specs are read, and by which targets and plans go. */
#ifndef LES_LESION_OPERATION_H
#define LES_LESION_OPERATION_H

#include <stdbool.h>

typedef enum les_op {
  LES_OP_SKIP,
  LES_OP_ZERO,
  LES_OP_REINIT,
  LES_OP_NOISE,
  LES_OP_SVD,
  LES_OP_QUANT,
  LES_OP_SCALE,
  LES_OP_MEAN,
  LES_N_OPS
} les_op;

typedef enum les_part_kind {
  LES_PART_BLOCK,
  LES_PART_ATTN,
  LES_PART_MLP,
  LES_PART_HEAD,
  LES_PART_LINEAR
} les_part_kind;

typedef enum les_op_key {
  LES_KEY_SEED,
  LES_KEY_SIGMA,
  LES_KEY_RANK,
  LES_KEY_KEEP,
  LES_KEY_TYPE,
  LES_KEY_ALPHA,
  LES_N_OP_KEYS
} les_op_key;

typedef struct les_operation {
  const char *name;          /* as specs write it: "skip" */
  bool changes_contribution; /* of a part to the residual stream; else it changes weights */
  int parts;                 /* that it applies to, bits of les_part_kind */
  const char *takes;         /* those in words */
  int keys;                  /* that it knows, bits of les_op_key */
  int dose;                  /* those of which one has to be given: how much it does */
  const char *example;
} les_operation;

const les_operation *les_operation_of(les_op op);

/* "sigma" */
const char *les_op_key_name(les_op_key key);

#endif
