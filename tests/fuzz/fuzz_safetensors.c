/* safetensors files, built into a model of each architecture: whatever the bytes, a model or an error, no
 * crash. */
#include "format/safetensors.h"
#include "fuzz.h"
#include "model/bind.h"

#include <unistd.h>

/* The configuration of the files in data/fuzz/safetensors. */
static les_status make_config(const les_arch *arch, les_config *c) {
  *c = (les_config){.arch = arch, .window = 4, .tied = true};
  c->hparams =
      (les_hparams){.n_layers = 1, .n_embd = 32, .n_ff = 32, .n_heads = 2, .n_vocab = 24, .n_ctx = 16};
  if (!arch->learned_positions) c->hparams.n_kv_heads = 1;
  c->rope[0] = c->rope[1] = (les_rope_spec){.base = 10000};
  return les_config_finish(c, 1);
}

static void build(const les_arch *arch, const les_tensors *w) {
  les_config config;
  les_model model = {0};
  les_owned owned = {0};
  if (make_config(arch, &config) == LES_OK)
    fuzz_taken += les_model_bind(&model, &config, w, true, &owned) == LES_OK;
  les_owned_free(&owned);
  les_config_free(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  les_safetensors *s;
  int fd = fuzz_file(data, n, path);
  if (les_safetensors_open(&s, path) == LES_OK) {
    for (int i = 0; les_arch_at(i); i++) build(les_arch_at(i), les_safetensors_tensors(s));
    les_safetensors_close(&s);
  }
  close(fd);
  return 0;
}
