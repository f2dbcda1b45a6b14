/* Models opened from files: shapes, tensors by role, equal in both formats. */
#include "model/load.h"
#include "model/model.h"
#include "unit.h"

#include <stdio.h>

static const les_model_options bare = {.no_tokenizer = true, .no_sha256 = true};

static les_model *open_model(const char *path, const les_model_options *options) {
  les_model *m;
  if (les_model_open(&m, path, options) != LES_OK) fail_msg("%s", les_message());
  return m;
}

static void opens_a_trained_llama(void **state) {
  (void)state;
  les_model *m = open_model(TEST_DATA "/models/stories260K/stories260K.gguf", NULL);
  assert_string_equal(m->arch, "llama");
  assert_string_equal(m->name, "stories260K");
  assert_string_equal(m->sha256, "3775d1f038780ae5a88c616dba9ffaaf7dc77a44f2c29a626e492d0fcb6176f4");
  assert_int_equal(m->hparams.n_layers, 5);
  assert_int_equal(m->hparams.n_embd, 64);
  assert_int_equal(m->hparams.n_ff, 172);
  assert_int_equal(m->hparams.n_heads, 8);
  assert_int_equal(m->hparams.n_kv_heads, 4);
  assert_int_equal(m->hparams.head_dim, 8);
  assert_int_equal(m->hparams.n_vocab, 512);
  assert_int_equal(m->hparams.n_ctx, 512);
  assert_int_equal(m->hparams.n_rope_pairs, 4);
  assert_false(m->hparams.rope_neox);
  assert_ptr_equal(m->output.data, m->tok_embd.data);
  assert_int_equal(m->layers[4].linear[LES_DOWN].w.cols, 172);
  assert_near(m->rope[0].freq[1], 0.1, 1e-15);
  assert_int_equal(m->n_eos, 1);
  assert_int_equal(m->eos[0], 2);
  assert_non_null(m->tokenizer);
  les_model_close(&m);
  assert_null(m);
}

/* The values of a matrix, (rows, cols); the caller's. */
static float *unpack(const les_matrix *w) {
  float *values = malloc((size_t)(w->rows * w->cols) * sizeof *values);
  assert_non_null(values);
  les_dequantize(w->type, w->data, w->rows * w->cols, values);
  return values;
}

static void assert_matrices_equal(const les_matrix *a, const les_matrix *b) {
  assert_int_equal(a->rows, b->rows);
  assert_int_equal(a->cols, b->cols);
  float *x = unpack(a), *y = unpack(b);
  assert_memory_equal(x, y, (size_t)(a->rows * a->cols) * sizeof *x);
  free(x);
  free(y);
}

static void assert_vectors_equal(const float *a, const float *b, int64_t n) {
  assert_int_equal(a != NULL, b != NULL);
  for (int64_t i = 0; a && i < n; i++) assert_near((double)a[i], (double)b[i], 1e-6);
}

static void assert_layers_equal(const les_model *m, const les_layer *a, const les_layer *b) {
  assert_int_equal(a->window, b->window);
  assert_int_equal(a->rope, b->rope);
  for (int id = 0; id < LES_N_LINEAR; id++) {
    const les_linear *x = &a->linear[id], *y = &b->linear[id];
    bool turned = !m->hparams.rope_neox && m->hparams.n_rope_pairs && (id == LES_Q || id == LES_K);
    if (x->w.data && !turned) assert_matrices_equal(&x->w, &y->w);
    assert_vectors_equal(x->bias, y->bias, x->w.rows);
  }
  for (int id = 0; id < LES_N_NORM; id++) {
    int64_t n = id == LES_NORM_Q || id == LES_NORM_K ? m->hparams.head_dim : m->hparams.n_embd;
    assert_vectors_equal(a->norm[id].scale, b->norm[id].scale, n);
    assert_vectors_equal(a->norm[id].bias, b->norm[id].bias, n);
  }
}

/* Transposed and fused matrices, norms less 1, windows and rope tables come out alike. */
static void formats_agree(void **state) {
  (void)state;
  static const char *const names[] = {"gemma3", "gpt2", "qwen3", "llama3"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    char path[512];
    snprintf(path, sizeof path, "%s/models/tiny-%s", TEST_DATA, names[k]);
    les_model *hub = open_model(path, &bare);
    snprintf(path, sizeof path, "%s/models/tiny-%s/tiny-%s-f32.gguf", TEST_DATA, names[k], names[k]);
    les_model *gguf = open_model(path, &bare);
    assert_string_equal(hub->arch, gguf->arch);
    assert_int_equal(hub->hparams.n_layers, gguf->hparams.n_layers);
    assert_near(hub->hparams.attn_scale, gguf->hparams.attn_scale, 0);
    assert_near(hub->hparams.embd_scale, gguf->hparams.embd_scale, 0);
    assert_matrices_equal(&hub->tok_embd, &gguf->tok_embd);
    if (hub->pos_embd.data) assert_matrices_equal(&hub->pos_embd, &gguf->pos_embd);
    for (int i = 0; i < hub->hparams.n_layers; i++)
      assert_layers_equal(gguf, &hub->layers[i], &gguf->layers[i]);
    assert_vectors_equal(hub->output_norm.scale, gguf->output_norm.scale, hub->hparams.n_embd);
    for (int t = 0; t < 2; t++)
      for (int i = 0; i < hub->hparams.n_rope_pairs; i++)
        assert_near(hub->rope[t].freq[i] / gguf->rope[t].freq[i], 1, 1e-6);
    les_model_close(&hub);
    les_model_close(&gguf);
  }
}

static void opens_one_file_beside_its_config(void **state) {
  (void)state;
  les_model *m = open_model(TEST_DATA "/models/llama2-bf16/model.safetensors", &bare);
  assert_string_equal(m->arch, "llama");
  assert_ptr_not_equal(m->output.data, m->tok_embd.data);
  les_model_close(&m);
}

static void says_why_there_is_no_tokenizer(void **state) {
  (void)state;
  les_model *m = open_model(TEST_DATA "/models/gemma3-hub/", &(les_model_options){.no_sha256 = true});
  assert_null(m->tokenizer);
  assert_non_null(strstr(m->tokenizer_missing, "tokenizer.json"));
  les_model_close(&m);
}

static void names_files_that_are_no_models(void **state) {
  (void)state;
  les_model *m;
  assert_int_equal(les_model_open(&m, TEST_DATA "/no-such-file.gguf", NULL), LES_FAILED);
  assert_null(m);
  assert_message("no-such-file.gguf: cannot be opened");
  assert_int_equal(les_model_open(&m, TEST_DATA "/models", NULL), LES_FAILED);
  assert_message("neither model.safetensors nor");
  assert_int_equal(les_model_open(&m, TEST_DATA "/models/README.md", NULL), LES_FAILED);
  assert_message("not a GGUF file");
  assert_int_equal(les_model_open(&m, "/dev/null", NULL), LES_FAILED);
  assert_message("not a regular file");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opens_a_trained_llama),
      cmocka_unit_test(formats_agree),
      cmocka_unit_test(opens_one_file_beside_its_config),
      cmocka_unit_test(says_why_there_is_no_tokenizer),
      cmocka_unit_test(names_files_that_are_no_models),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
