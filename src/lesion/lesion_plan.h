/* A lesion made concrete for a loaded model, as the forward pass applies it. */
#ifndef LES_LESION_LESION_PLAN_H
#define LES_LESION_LESION_PLAN_H

#include "lesion/lesion.h"
#include "model/model.h"

/* What a part's contribution c to the residual stream becomes: a * c + b * mean. */
typedef struct les_affine {
  float a, b;        /* 1, 0: untouched; 0, 0: skipped, the part is not computed */
  const float *mean; /* (n_embd), or (head_dim) for a head's values; used where b != 0 */
} les_affine;

/* One layer under a lesion. */
typedef struct les_layer_plan {
  les_affine block, attn, mlp;
  les_affine *heads; /* (n_heads) applied to a head's attention output, before o; NULL: none touched */
  les_layer layer;   /* the model's layer; pointers differ from its own where a parameter is replaced */
} les_layer_plan;

/* Immutable once made, shared by all sequences under the lesion. */
typedef struct les_lesion_plan {
  int first_layer;         /* lowest touched layer; n_layers for the intact model */
  les_layer_plan **layers; /* (n_layers), NULL: untouched */
  int n_layers;
  size_t bytes;                        /* memory held for replaced parameters */
  struct les_weight_edit *weight_edit; /* owns them */
} les_lesion_plan;

/* Mean contributions of every part of every layer over a calibration text; made by
 * les_means_compute (calibrate.h). */
typedef struct les_means {
  int n_layers, n_embd, n_heads, head_dim;
  float *block, *attn, *mlp; /* (n_layers, n_embd) */
  float *heads;              /* (n_layers, n_heads, head_dim) mean attention output of each head */
  void *memory;              /* behind these arrays */
} les_means;

/* Makes the plan of `lesion` for `model`. `means` may be NULL if no edit is `mean`. Model and means outlive
 * the plan. The same bytes on every rank and for every number of threads. */
les_status les_lesion_plan_open(les_lesion_plan **out, const les_model *model, const les_lesion *lesion,
                                const les_means *means, int threads);
void les_lesion_plan_close(les_lesion_plan **lesion_plan);

/* Bytes that les_lesion_plan_open will hold for replaced parameters, without doing it. */
size_t les_lesion_plan_bytes(const les_model *model, const les_lesion *lesion);

#endif
