#include "lesion/operation.h"

/* Parts that are added to the residual stream, and parts that are one matrix or several. */
#define CONTRIBUTIONS (1 << LES_PART_BLOCK | 1 << LES_PART_ATTN | 1 << LES_PART_MLP | 1 << LES_PART_HEAD)
#define MATRICES      (1 << LES_PART_BLOCK | 1 << LES_PART_ATTN | 1 << LES_PART_MLP | 1 << LES_PART_LINEAR)

static const char any_part[] = "any part";
static const char a_contribution[] = "a block, attn, mlp or attn.headH";
static const char matrices[] = "a block, attn, mlp or one matrix";

static const les_operation operations[LES_N_OPS] = {
    [LES_OP_SKIP] = {"skip", true, CONTRIBUTIONS, a_contribution, 0, 0, "skip@3.attn"},
    [LES_OP_ZERO] = {"zero", false, CONTRIBUTIONS | MATRICES, any_part, 0, 0, "zero@3.attn.q"},
    [LES_OP_REINIT] = {"reinit", false, CONTRIBUTIONS | MATRICES, any_part, 1 << LES_KEY_SEED, 0,
                       "reinit@3:seed=1"},
    [LES_OP_NOISE] = {"noise", false, MATRICES, matrices, 1 << LES_KEY_SIGMA | 1 << LES_KEY_SEED,
                      1 << LES_KEY_SIGMA, "noise@3.mlp:sigma=0.1"},
    [LES_OP_SVD] = {"svd", false, MATRICES, matrices, 1 << LES_KEY_RANK | 1 << LES_KEY_KEEP,
                    1 << LES_KEY_RANK | 1 << LES_KEY_KEEP, "svd@3.attn.k:rank=8 or svd@3.attn.k:keep=0.25"},
    [LES_OP_QUANT] = {"quant", false, MATRICES, matrices, 1 << LES_KEY_TYPE, 1 << LES_KEY_TYPE,
                      "quant@3.mlp:type=q4_0"},
    [LES_OP_SCALE] = {"scale", true, CONTRIBUTIONS, a_contribution, 1 << LES_KEY_ALPHA, 1 << LES_KEY_ALPHA,
                      "scale@3.mlp:alpha=0.5"},
    [LES_OP_MEAN] = {"mean", true, CONTRIBUTIONS, a_contribution, 0, 0, "mean@3.attn"},
};

const les_operation *les_operation_of(les_op op) {
  return &operations[op];
}

const char *les_op_key_name(les_op_key key) {
  static const char *const names[LES_N_OP_KEYS] = {"seed", "sigma", "rank", "keep", "type", "alpha"};
  return names[key];
}
