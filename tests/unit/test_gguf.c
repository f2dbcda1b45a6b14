/* The GGUF reader on files that are right, cut, and changed in every place of their header. */
#include "format/model_files.h"
#include "model/load.h"
#include "model/model.h"
#include "unit.h"

#include <stdio.h>

static char folder[64], path[128];
static uint8_t *file; /* a small model */
static size_t n_file, n_header;

static int open_fixture(void **state) {
  (void)state;
  FILE *f = fopen(TEST_DATA "/fuzz/gguf/vocabulary.gguf", "rb");
  file = malloc(1 << 20);
  if (!f || !file || scratch_open(folder) != 0) return -1;
  n_file = fread(file, 1, 1 << 20, f);
  fclose(f);
  les_gguf *g;
  if (les_gguf_open(&g, TEST_DATA "/fuzz/gguf/vocabulary.gguf") != LES_OK) return -1;
  const uint8_t *last = (const uint8_t *)les_gguf_tensors(g)->items[0].data;
  n_header = n_file;
  for (int i = 0; i < les_gguf_tensors(g)->n; i++) {
    const les_tensor *t = &les_gguf_tensors(g)->items[i];
    size_t bytes = les_dtype_bytes(t->type_id, les_tensor_elements(t));
    if ((const uint8_t *)t->data + bytes > last) last = (const uint8_t *)t->data + bytes;
  }
  n_header = n_file - (size_t)(last - (const uint8_t *)les_gguf_tensors(g)->items[0].data);
  les_gguf_close(&g);
  return 0;
}

static int close_fixture(void **state) {
  (void)state;
  free(file);
  return rmdir(folder);
}

static les_status open_bytes(const uint8_t *data, size_t n) {
  les_model *m;
  assert_int_equal(scratch_write(folder, "m.gguf", data, n, path), 0);
  les_status status = les_model_open(&m, path, &(les_model_options){.no_sha256 = true});
  unlink(path); /* a file that is rewritten in place would be flushed to the disk each time */
  if (status == LES_OK)
    les_model_close(&m);
  else
    assert_null(m);
  return status;
}

/* Opens a copy with `n` bytes at `at` replaced. */
static les_status open_changed(size_t at, const void *bytes, size_t n) {
  uint8_t *copy = malloc(n_file);
  memcpy(copy, file, n_file);
  memcpy(copy + at, bytes, n);
  les_status status = open_bytes(copy, n_file);
  free(copy);
  return status;
}

/* Place of the first occurrence of `text`. */
static size_t find(const char *text) {
  const uint8_t *at = memmem(file, n_file, text, strlen(text));
  assert_non_null(at);
  return (size_t)(at - file);
}

static void reads_metadata(void **state) {
  (void)state;
  les_gguf *g;
  int64_t i;
  double d;
  bool b;
  const char *text;
  size_t n;
  assert_int_equal(les_gguf_open(&g, TEST_DATA "/models/stories260K/stories260K.gguf"), LES_OK);
  assert_true(les_gguf_int(g, "llama.block_count", &i) && i == 5);
  assert_true(les_gguf_double(g, "llama.rope.freq_base", &d) && d == 10000);
  assert_true(les_gguf_double(g, "llama.block_count", &d) && d == 5);
  assert_true(les_gguf_bool(g, "tokenizer.ggml.add_bos_token", &b) && b);
  assert_true(les_gguf_string(g, "general.architecture", &text, &n) && n == 5 && !memcmp(text, "llama", 5));
  assert_int_equal(les_gguf_array_length(g, "tokenizer.ggml.tokens"), 512);
  assert_true(les_gguf_array_string(g, "tokenizer.ggml.tokens", 1, &text, &n) && n == 3 &&
              !memcmp(text, "<s>", 3));
  assert_true(les_gguf_array_int(g, "tokenizer.ggml.token_type", 0, &i) && i == 2);
  assert_true(les_gguf_array_double(g, "tokenizer.ggml.scores", 0, &d));
  /* asked for what is not there */
  assert_false(les_gguf_int(g, "llama.rope.freq_base", &i));
  assert_false(les_gguf_int(g, "tokenizer.ggml.add_bos_token", &i));
  assert_false(les_gguf_int(g, "no.such.key", &i));
  assert_false(les_gguf_string(g, "llama.block_count", &text, &n));
  assert_false(les_gguf_array_string(g, "tokenizer.ggml.tokens", 512, &text, &n));
  assert_false(les_gguf_array_string(g, "tokenizer.ggml.tokens", -1, &text, &n));
  assert_int_equal(les_gguf_array_length(g, "general.architecture"), -1);
  assert_int_equal(les_gguf_tensors(g)->n, 47);
  const les_tensor *t = les_tensors_find(les_gguf_tensors(g), "blk.4.ffn_down.weight");
  assert_non_null(t);
  assert_int_equal(t->n_dims, 2);
  assert_int_equal(t->dims[0], 172);
  assert_int_equal(t->dims[1], 64);
  assert_null(les_tensors_find(les_gguf_tensors(g), "blk.5.ffn_down.weight"));
  les_gguf_close(&g);
  assert_null(g);
}

static void refuses_cut_files(void **state) {
  (void)state;
  assert_int_equal(open_bytes(file, n_file), LES_OK);
  for (size_t i = 0; i < 200; i++) assert_int_equal(open_bytes(file, n_file * i / 200), LES_FAILED);
  assert_int_equal(open_bytes(file, n_file - 1), LES_FAILED);
  assert_message("beyond the end");
}

/* Whatever stands in the header, there is an answer; sanitizers say if it was a bad one. */
static void survives_any_header(void **state) {
  (void)state;
  static const uint8_t zeros[8] = {0}, ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
  size_t step = n_header / 300 + 1;
  for (size_t at = 0; at + 8 <= n_header; at += at < 600 ? 1 : step) {
    open_changed(at, zeros, 4);
    open_changed(at, zeros, 8);
    open_changed(at, ones, 4);
    open_changed(at, ones, 8);
  }
}

static void names_what_is_wrong(void **state) {
  (void)state;
  assert_int_equal(open_changed(0, "GGML", 4), LES_FAILED);
  assert_message("not a GGUF file");
  assert_int_equal(open_changed(4, "\1", 1), LES_FAILED);
  assert_message("version 1");
  assert_int_equal(open_changed(8, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), LES_FAILED);
  assert_message("18446744073709551615 tensors");
  assert_int_equal(open_changed(16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), LES_FAILED);
  assert_message("18446744073709551615 metadata keys");
  assert_int_equal(open_changed(find("llama"), "lemma", 5), LES_FAILED);
  assert_message("architecture 'lemma'");
  assert_int_equal(open_changed(find("blk.0.attn_k.weight"), "b", 1), LES_OK);
  assert_int_equal(open_changed(find("blk.0.attn_k.weight"), "x", 1), LES_FAILED);
  assert_message("'blk.0.attn_k.weight' is missing");
  assert_int_equal(open_changed(find("attn_k.weight"), "attn_q", 6), LES_FAILED);
  assert_message("tensor 'blk.0.attn_q.weight' is there twice");
  assert_int_equal(open_changed(find("llama.embedding_length"), "llama.embedding_LENGTH", 22), LES_FAILED);
  assert_message("llama.embedding_length is missing");
  /* type, then offset, stand behind the dimensions */
  size_t type = find("output_norm.weight") + strlen("output_norm.weight") + 4 + 8;
  assert_int_equal(open_changed(type, "\x63", 1), LES_FAILED);
  assert_message("weight type unknown (99)");
  assert_int_equal(open_changed(type + 4, "\x01", 1), LES_FAILED);
  assert_message("not a multiple of 32");
  assert_int_equal(open_changed(type + 4, "\0\0\0\0\0\0\0\x10", 8), LES_FAILED);
  assert_message("beyond the end");
}

static void refuses_settings_that_it_does_not_know(void **state) {
  (void)state;
  /* a key of the same length that the architecture may have, but not with this value */
  assert_int_equal(open_changed(find("llama.rope.freq_base"), "llama.residual_scale", 20), LES_FAILED);
  assert_message("llama.residual_scale is 10000, which is not supported");
}

static void joins_the_parts_of_split_models(void **state) {
  (void)state;
  les_gguf *whole, *split;
  assert_int_equal(les_gguf_open(&whole, TEST_DATA "/fuzz/gguf/llama.gguf"), LES_OK);
  assert_int_equal(les_gguf_open(&split, TEST_DATA "/models/split/small-00001-of-00003.gguf"), LES_OK);
  assert_int_equal(les_gguf_n_parts(split), 3);
  assert_int_equal(les_gguf_tensors(split)->n, les_gguf_tensors(whole)->n);
  for (int i = 0; i < les_gguf_tensors(whole)->n; i++) {
    const les_tensor *a = &les_gguf_tensors(whole)->items[i],
                     *b = les_tensors_find(les_gguf_tensors(split), a->name);
    assert_non_null(b);
    assert_int_equal(a->type_id, b->type_id);
    assert_memory_equal(a->data, b->data, les_dtype_bytes(a->type_id, les_tensor_elements(a)));
  }
  les_gguf_close(&whole);
  les_gguf_close(&split);
  assert_int_equal(les_gguf_open(&split, TEST_DATA "/models/split/small-00002-of-00003.gguf"), LES_FAILED);
  assert_message("is part 2 of a split model; give the first part");
}

static void names_parts_that_are_missing(void **state) {
  (void)state;
  char lone[160], data[8192];
  les_gguf *g;
  FILE *f = fopen(TEST_DATA "/models/split/small-00001-of-00003.gguf", "rb");
  assert_non_null(f);
  size_t n = fread(data, 1, sizeof data, f);
  fclose(f);
  assert_int_equal(scratch_write(folder, "a-00001-of-00003.gguf", data, n, lone), 0);
  assert_int_equal(les_gguf_open(&g, lone), LES_FAILED);
  assert_message("a-00002-of-00003.gguf: cannot be opened");
  unlink(lone);
  assert_int_equal(scratch_write(folder, "a.gguf", data, n, lone), 0);
  assert_int_equal(les_gguf_open(&g, lone), LES_FAILED);
  assert_message("not named NAME-00001-of-00003.gguf");
  unlink(lone);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_metadata),
      cmocka_unit_test(refuses_cut_files),
      cmocka_unit_test(survives_any_header),
      cmocka_unit_test(names_what_is_wrong),
      cmocka_unit_test(refuses_settings_that_it_does_not_know),
      cmocka_unit_test(joins_the_parts_of_split_models),
      cmocka_unit_test(names_parts_that_are_missing),
  };
  return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
