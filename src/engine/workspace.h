/* The memory of the forward pass, for batches of at most max_rows rows, allocated once. */
#ifndef LES_ENGINE_WORKSPACE_H
#define LES_ENGINE_WORKSPACE_H

#include "model/model.h"

/* For forward.c alone. */
typedef struct les_workspace {
  const les_model *model;
  int max_rows, threads, logits_rows;
  /* Row r of the batch: */
  float *x;      /* (max_rows, n_embd) residual stream */
  float *x_in;   /* (max_rows, n_embd) block input, where it is needed again */
  float *x_mid;  /* (max_rows, n_embd) state after attention, for a probe */
  float *cos[2]; /* (max_rows, n_rope_pairs) for each rope table */
  float *sin[2];
  float *entropy; /* (max_rows) attention entropy at the current layer */
  /* Row i of the selected ones: */
  float *h;      /* (max_rows, n_embd) normalised input */
  float *q;      /* (max_rows, n_heads * head_dim) */
  float *k, *v;  /* (max_rows, n_kv_heads * head_dim) */
  float *z;      /* (max_rows, n_heads * head_dim) the heads' output */
  float *z_ent;  /* (max_rows, n_heads) entropy of each head */
  float *gate;   /* (max_rows, n_ff) */
  float *up;     /* (max_rows, n_ff) */
  float *c;      /* (max_rows, n_embd) contribution */
  float *logits; /* (logits_rows, n_vocab) */
  float *scores; /* (threads, n_ctx) */
  int *list;     /* (max_rows) selected rows: those for which a part is computed, grouped by lesion */
  int *order;    /* (max_rows) rows that go through the current layer, grouped by lesion */
  void *scratch; /* of products */
  void *memory;  /* all of the above */
} les_workspace;

les_status les_workspace_open(les_workspace **out, const les_model *model, int max_rows, int threads);
void les_workspace_close(les_workspace **ws);
size_t les_workspace_bytes(const les_model *model, int max_rows, int threads);

#endif
