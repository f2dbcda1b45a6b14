#include "model.h"

const char *les_linear_name(les_linear_id id) {
  static const char *const names[LES_N_LINEAR] = {
      [LES_Q] = "attn.q",      [LES_K] = "attn.k",  [LES_V] = "attn.v",     [LES_O] = "attn.o",
      [LES_GATE] = "mlp.gate", [LES_UP] = "mlp.up", [LES_DOWN] = "mlp.down"};
  return names[id];
}
