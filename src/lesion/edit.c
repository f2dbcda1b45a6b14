#include "lesion/edit.h"

bool les_edit_touches(const les_edit *edit, int layer) {
  for (int i = 0; i < edit->n_layers && edit->layers[i] <= layer; i++)
    if (edit->layers[i] == layer) return true;
  return false;
}

unsigned les_edit_linears(const les_edit *edit, const les_hparams *hparams) {
  unsigned attn = 1u << LES_Q | 1u << LES_K | 1u << LES_V | 1u << LES_O;
  unsigned mlp = 1u << LES_UP | 1u << LES_DOWN | (hparams->gated ? 1u << LES_GATE : 0);
  switch (edit->part) {
  case LES_PART_BLOCK:
    return attn | mlp;
  case LES_PART_ATTN:
    return attn;
  case LES_PART_MLP:
    return mlp;
  case LES_PART_HEAD:
    return 1u << LES_O;
  default:
    return 1u << edit->linear;
  }
}
