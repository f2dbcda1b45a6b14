/* Lesions: what is disabled in a model, as the user writes it and as the forward pass applies it.
 *
 *   OP@LAYERS[.PART][:key=value,...] joined by '+'; "none" is the intact model.
 *
 * A lesion is data (les_lesion, from the text). A plan (les_plan) is a lesion made concrete for a loaded
 * model. */
#ifndef LES_LESION_H
#define LES_LESION_H

#include "model.h"

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

typedef struct les_stroke {
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
} les_stroke;

/* One lesion after expansion of `each`. */
typedef struct les_lesion {
  char *spec;   /* canonical text, unique among the lesions of a job: "skip@3.attn" */
  char *family; /* the text before expansion: "skip@each.attn"; equal to spec if nothing was expanded */
  int layer;    /* the one layer it touches; -1: several; -1 for "none" too */
  les_stroke *strokes;
  int n_strokes; /* 0: the intact model */
} les_lesion;

typedef struct les_lesions {
  les_lesion *items;
  int n;
} les_lesions;

/* Parses n specs, expands `each`, and checks every one against the model's shape. LES_USAGE if a spec is
 * wrong, does not fit the model, or names a lesion twice; the message quotes it and says what would be right.
 */
les_status les_lesions_parse(les_lesions *out, const char *const *specs, int n, const les_shape *shape);
void les_lesions_free(les_lesions *l);

/* What a part's contribution c to the residual stream becomes: a * c + b * mean. */
typedef struct les_affine {
  float a, b;        /* 1, 0: untouched; 0, 0: skipped, the part is not computed */
  const float *mean; /* (n_embd), or (head_dim) for a head's values; used where b != 0 */
} les_affine;

/* One layer under a lesion. */
typedef struct les_layer_plan {
  les_affine block, attn, mlp;
  les_affine *heads; /* (n_heads) applied to the head's attention output, before o; NULL: none touched */
  les_layer layer;   /* the model's layer with replaced pointers */
  /* The parts of `layer` that are the model's own are pointer-equal to it. */
} les_layer_plan;

/* A lesion made concrete. Immutable once made, shared by all sequences that carry it. */
typedef struct les_plan {
  int first_layer;         /* lowest touched layer; n_layers for the intact model */
  les_layer_plan **layers; /* (n_layers), NULL: untouched */
  size_t bytes;            /* memory held for replaced parameters */
  void *store;
} les_plan;

/* Mean contributions of every part of every layer over a calibration text; made by les_calibrate
 * (calibrate.h). */
typedef struct les_means {
  int n_layers, n_embd, n_heads, head_dim;
  float *block, *attn, *mlp; /* (n_layers, n_embd) */
  float *heads;              /* (n_layers, n_heads, head_dim) mean attention output of each head */
} les_means;

/* Makes the plan of `lesion` for `model`. `means` may be NULL if no stroke is `mean`. Deterministic: the same
 * bytes on every rank and for every number of threads. */
les_status les_plan_open(les_plan **out, const les_model *model, const les_lesion *lesion,
                         const les_means *means);
void les_plan_close(les_plan **plan);

/* Bytes that les_plan_open will hold for replaced parameters, without doing it. */
size_t les_plan_bytes(const les_model *model, const les_lesion *lesion);

#endif
