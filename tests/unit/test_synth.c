/* Made-up models: every architecture, format and weight type can be opened again, and the same description
 * gives the same bytes. */
#include "base/file.h"
#include "base/sha256.h"
#include "model/load.h"
#include "model/model.h"
#include "synth/synth.h"
#include "unit.h"

#include <omp.h>
#include <stdio.h>

static char folder[64], file[128], hub[128];
static les_config config;

static void remove_files(void) {
  static const char *const names[] = {"config.json", "tokenizer.json", "tokenizer_config.json",
                                      "model.safetensors"};
  char path[192];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", hub, names[i]);
    unlink(path);
  }
  rmdir(hub);
  unlink(file);
}

static int open_folder(void **state) {
  (void)state;
  if (scratch_open(folder) != 0) return -1;
  snprintf(file, sizeof file, "%s/m.gguf", folder);
  snprintf(hub, sizeof hub, "%s/m", folder);
  return 0;
}

static int close_folder(void **state) {
  (void)state;
  remove_files();
  les_config_free(&config);
  return rmdir(folder);
}

static void describe(const les_arch *arch, int width, int n_vocab) {
  les_config_free(&config);
  config = (les_config){.arch = arch, .window = 3, .name = strdup("made up"), .tied = n_vocab % 2 == 0};
  config.hparams = (les_hparams){.n_layers = 3,
                                 .n_embd = width,
                                 .n_ff = width,
                                 .n_heads = 4,
                                 .n_vocab = n_vocab,
                                 .n_ctx = 32,
                                 .norm_eps = 1e-5f,
                                 .init_range = 0.02f};
  if (!arch->learned_positions) config.hparams.n_kv_heads = 2;
  config.rope[0] = config.rope[1] = (les_rope_spec){.base = 10000};
  if (les_config_finish(&config, 3) != LES_OK) fail_msg("%s", les_message());
  les_config_set_windows(&config, 0);
}

static les_status write_and_open(const char *path, les_dtype type, bool sparse) {
  les_model *m;
  LES_TRY(les_synth_write(path, &(les_synth){.config = &config, .type = type, .sparse = sparse}));
  les_status status = les_model_open(&m, path, &(les_model_options){.no_sha256 = true});
  if (status != LES_OK) return status;
  assert_int_equal(m->hparams.n_layers, config.hparams.n_layers);
  assert_int_equal(m->hparams.n_vocab, config.hparams.n_vocab);
  assert_int_equal(m->hparams.head_dim, config.hparams.head_dim);
  assert_int_equal(m->output.data != m->tok_embd.data, !config.tied);
  for (int i = 0; i < 3; i++) assert_int_equal(m->layers[i].window, config.sliding[i] ? config.window : 0);
  assert_int_equal(m->layers[2].linear[LES_DOWN].w.type, type);
  assert_int_equal(m->tokenizer != NULL, config.hparams.n_vocab >= 257);
  les_model_close(&m);
  return LES_OK;
}

static void assert_written(const char *path, les_dtype type, bool sparse) {
  if (write_and_open(path, type, sparse) != LES_OK) fail_msg("%s", les_message());
}

static void writes_every_architecture(void **state) {
  (void)state;
  for (int i = 0; les_arch_at(i); i++) {
    const les_arch *arch = les_arch_at(i);
    bool has_windows = arch->window_period || !strcmp(arch->name, "llama") || !strcmp(arch->name, "phi3");
    describe(arch, 32, 300 + i % 2);
    if (!has_windows) config.window = 0, les_config_set_windows(&config, 0);
    assert_written(hub, LES_BF16, false);
    if (arch->gguf)
      assert_written(file, LES_F16, false);
    else
      assert_int_equal(write_and_open(file, LES_F16, false), LES_USAGE);
  }
}

static void writes_every_weight_type(void **state) {
  (void)state;
  describe(les_arch_find("llama"), 256, 20);
  for (uint32_t id = 0; id < 64; id++)
    if (les_dtype_find(id)) assert_written(file, id, false);
  assert_int_equal(write_and_open(hub, LES_Q8_0, false), LES_USAGE);
  assert_message("not Q8_0");
  describe(les_arch_find("llama"), 32, 20);
  assert_int_equal(write_and_open(file, LES_Q4_K, false), LES_USAGE);
  assert_message("whole blocks of 256");
}

static void digest(char hex[65]) {
  char *data;
  size_t n;
  assert_int_equal(les_file_read(file, &data, &n), LES_OK);
  assert_int_equal(les_sha256(data, n, hex), LES_OK);
  free(data);
}

static void writes_the_same_bytes_again(void **state) {
  (void)state;
  char one[65], two[65], other[65];
  describe(les_arch_find("qwen3"), 256, 300);
  omp_set_num_threads(1);
  assert_int_equal(les_synth_write(file, &(les_synth){.config = &config, .type = LES_Q4_0}), LES_OK);
  digest(one);
  omp_set_num_threads(2);
  assert_int_equal(les_synth_write(file, &(les_synth){.config = &config, .type = LES_Q4_0}), LES_OK);
  digest(two);
  assert_string_equal(one, two);
  assert_int_equal(les_synth_write(file, &(les_synth){.config = &config, .type = LES_Q4_0, .seed = 1}),
                   LES_OK);
  digest(other);
  assert_string_not_equal(one, other);
}

static void leaves_weights_out(void **state) {
  (void)state;
  describe(les_arch_find("llama"), 64, 300);
  assert_written(file, LES_Q8_0, true);
  assert_written(hub, LES_F32, true);
}

static void copies_a_vocabulary(void **state) {
  (void)state;
  les_model *m;
  les_tokens t;
  les_synth s = {.config = &config, .vocab = TEST_DATA "/models/stories260K/stories260K.gguf"};
  describe(les_arch_find("llama"), 32, 512);
  assert_int_equal(les_synth_write(file, &s), LES_OK);
  assert_int_equal(les_model_open(&m, file, NULL), LES_OK);
  assert_int_equal(les_encode(m->tokenizer, "Once", 4, &(les_encode_options){.bos = true}, &t), LES_OK);
  assert_int_equal(t.ids[0], 1);
  les_tokens_free(&t);
  les_model_close(&m);
  describe(les_arch_find("llama"), 32, 500);
  assert_int_equal(les_synth_write(file, &s), LES_USAGE);
  assert_message("has 512 tokens, the model 500");
}

static void says_what_cannot_be_written(void **state) {
  (void)state;
  describe(les_arch_find("llama"), 32, 20);
  assert_int_equal(les_synth_write("/no/such/folder/m.gguf", &(les_synth){.config = &config}), LES_FAILED);
  assert_message("/no/such/folder/m.gguf: cannot be written");
  assert_int_equal(les_synth_write("/dev/full.gguf/m", &(les_synth){.config = &config}), LES_FAILED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_every_architecture),   cmocka_unit_test(writes_every_weight_type),
      cmocka_unit_test(writes_the_same_bytes_again), cmocka_unit_test(leaves_weights_out),
      cmocka_unit_test(copies_a_vocabulary),         cmocka_unit_test(says_what_cannot_be_written),
  };
  return cmocka_run_group_tests(tests, open_folder, close_folder);
}
