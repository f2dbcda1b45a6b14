/* The forward pass over a batch of rows. A row is one token of one sequence; every sequence carries its own
 * lesion, and at each layer the rows are grouped by what that layer does to them. A row's result depends on
 * its own sequence alone, to the byte: not on the other rows, their order, or the number of threads. */
#ifndef LES_ENGINE_FORWARD_H
#define LES_ENGINE_FORWARD_H

#include "engine/kv_cache.h"
#include "engine/workspace.h"
#include "lesion/lesion_plan.h"
#include "model/model.h"

typedef struct les_row {
  les_kv_cache *kv_cache; /* of the row's sequence; NULL if it enters after the last layer */
  int32_t token;
  int pos;             /* all positions below are cached, or are rows of the same batch */
  int first_layer;     /* the row enters here: 0 with its embedding, else with `hidden` */
  const float *hidden; /* (n_embd) input of first_layer; unused at 0 */
  bool logits;         /* the logits after this row are wanted */
  bool cache_only; /* only its keys and values are: after the last layer's, what a probe sees is undefined */
} les_row;

/* Where a probe looks: the residual stream around a part, and what the part adds to it. */
typedef enum les_site {
  LES_SITE_ATTN,  /* before: block input; after: the state after attention's residual add */
  LES_SITE_MLP,   /* before: that state; after: the block's output */
  LES_SITE_BLOCK, /* before: block input; after: block output */
  LES_SITE_HEADS, /* before: NULL; after: the heads' attention output (n_heads * head_dim), before o */
} les_site;

/* Called by one of the threads for a row at a layer, once per site asked for. attn_entropy: mean over heads
 * of the attention weights' entropy in nats, given at LES_SITE_BLOCK if asked for, else 0; NaN if attention
 * was not run. A probe writes only to memory of its row. */
typedef void les_probe_fn(void *ctx, int row, int layer, les_site site, const float *before,
                          const float *after, float attn_entropy);

/* Called for each row whose logits (n_vocab) are wanted, in any order, by the thread of that
 * omp_get_thread_num(). */
typedef void les_logits_fn(void *ctx, int row, const float *logits);

typedef struct les_forward_options {
  les_compute compute;
  int threads;
  les_logits_fn *on_logits; /* may be NULL if no row wants logits */
  les_probe_fn *probe;      /* NULL: none */
  unsigned sites;           /* bit 1 << les_site for every site the probe wants */
  bool attn_entropy;
  void *ctx; /* for both callbacks */
} les_forward_options;

/* Runs the rows through the model. Rows of one sequence come in ascending position. n_rows <= max_rows. */
les_status les_forward(const les_model *model, les_workspace *ws, const les_row *rows, int n_rows,
                       const les_forward_options *options);

#endif
