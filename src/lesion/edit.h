/* One edit of a lesion: an operation, the layers and the part that it is applied to, and its parameters. */
#ifndef LES_LESION_EDIT_H
#define LES_LESION_EDIT_H

#include "base/status.h"
#include "lesion/operation.h"
#include "model/layer.h"

#include <stdbool.h>

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

/* True if the edit touches that layer. */
bool les_edit_touches(const les_edit *edit, int layer);

/* The matrices that the edit's part holds, bit 1 << les_linear_id each; for a head, the one that has its
 * columns. */
unsigned les_edit_linears(const les_edit *edit, const les_hparams *hparams);

#endif
