#include "model/layer.h"

const char *les_linear_name(les_linear_id id) {
  static const char *const names[LES_N_LINEAR] = {
      [LES_Q] = "attn.q",      [LES_K] = "attn.k",  [LES_V] = "attn.v",     [LES_O] = "attn.o",
      [LES_GATE] = "mlp.gate", [LES_UP] = "mlp.up", [LES_DOWN] = "mlp.down"};
  return names[id];
}

void les_linear_size(const les_hparams *h, les_linear_id id, int64_t *rows, int64_t *cols) {
  const int q = les_q_dim(h), kv = les_kv_dim(h);
  *rows = id == LES_Q                     ? q
          : id == LES_K || id == LES_V    ? kv
          : id == LES_O || id == LES_DOWN ? h->n_embd
                                          : h->n_ff;
  *cols = id == LES_O ? q : id == LES_DOWN ? h->n_ff : h->n_embd;
}

int les_norm_size(const les_hparams *h, les_norm_id id) {
  return id == LES_NORM_Q || id == LES_NORM_K ? h->head_dim : h->n_embd;
}
