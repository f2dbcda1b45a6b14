#include "model/layer.h"

const char *les_linear_name(les_linear_id id) {
  static const char *const names[LES_N_LINEAR] = {
      [LES_Q] = "attn.q",      [LES_K] = "attn.k",  [LES_V] = "attn.v",     [LES_O] = "attn.o",
      [LES_GATE] = "mlp.gate", [LES_UP] = "mlp.up", [LES_DOWN] = "mlp.down"};
  return names[id];
}

void les_linear_size(const les_hparams *h, les_linear_id id, int64_t *rows, int64_t *cols) {
  const int64_t q = (int64_t)h->n_heads * h->head_dim, kv = (int64_t)h->n_kv_heads * h->head_dim;
  *rows = id == LES_Q                     ? q
          : id == LES_K || id == LES_V    ? kv
          : id == LES_O || id == LES_DOWN ? h->n_embd
                                          : h->n_ff;
  *cols = id == LES_O ? q : id == LES_DOWN ? h->n_ff : h->n_embd;
}
