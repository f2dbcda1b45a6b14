/* One edit of a lesion: OP@LAYERS[.PART][:key=value,...] read and checked against a model. */
#ifndef LES_LESION_EDIT_H
#define LES_LESION_EDIT_H

#include "base/status.h"
#include "model/layer.h"

#include <stdbool.h>

typedef enum les_op {
  LES_OP_SKIP,
  LES_OP_ZERO,
  LES_OP_REINIT,
  LES_OP_NOISE,
  LES_OP_SVD,
  LES_OP_QUANT,
  LES_OP_SCALE,
  LES_OP_MEAN
} les_op;

typedef enum les_part_kind {
  LES_PART_BLOCK,
  LES_PART_ATTN,
  LES_PART_MLP,
  LES_PART_HEAD,
  LES_PART_LINEAR
} les_part_kind;

typedef struct les_edit {
  les_op op;
  les_part_kind part;
  int head;             /* LES_PART_HEAD */
  les_linear_id linear; /* LES_PART_LINEAR */
  int *layers;          /* (n_layers) ascending, each once */
  int n_layers;
  uint64_t seed;   /* reinit, noise */
  double sigma;    /* noise */
  int rank;        /* svd; 0: by keep */
  double keep;     /* svd */
  les_dtype dtype; /* quant */
  double alpha;    /* scale */
} les_edit;

/* Name of an operation as specs write it: "skip". */
const char *les_op_name(les_op op);

/* Where the reading of a spec stands. */
typedef struct les_spec_parser {
  const char *spec; /* whole text, for messages */
  const char *at;
  const les_hparams *hparams;
  int each;       /* the layer that `each` stands for */
  bool used_each; /* set when it was met */
} les_spec_parser;

/* Reads one edit up to the '+' or the end behind it. LES_USAGE if it is wrong or does not fit the model.
 * What s->layers holds is the caller's to free, on failure too. */
les_status les_edit_parse(les_spec_parser *p, les_edit *s);

/* The matrices that a edit's part holds, bit 1 << les_linear_id each; for a head, the one that has its
 * columns. */
unsigned les_edit_linears(const les_edit *s, const les_hparams *hparams);

#endif
