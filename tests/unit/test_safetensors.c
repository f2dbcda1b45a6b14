/* The safetensors reader: shards and their index, and headers that do not hold together. */
#include "format/safetensors.h"
#include "unit.h"

static char folder[64], path[128];

static int open_folder(void **state) {
  (void)state;
  return scratch_open(folder);
}

static int close_folder(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder);
}

/* A file of a header and n bytes of data. */
static les_status open_header(const char *header, size_t n_data) {
  char bytes[1024] = {0};
  uint64_t n = strlen(header);
  memcpy(bytes, &n, sizeof n);
  memcpy(bytes + sizeof n, header, n);
  assert_int_equal(scratch_write(folder, "a.safetensors", bytes, sizeof n + n + n_data, path), 0);
  les_safetensors *s;
  les_status status = les_safetensors_open(&s, path);
  les_safetensors_close(&s);
  return status;
}

static void assert_refused(const char *header, size_t n_data, const char *words) {
  assert_int_equal(open_header(header, n_data), LES_FAILED);
  assert_message(words);
}

static void reads_shards(void **state) {
  (void)state;
  les_safetensors *s;
  assert_int_equal(les_safetensors_open(&s, TEST_DATA "/models/tiny-llama3"), LES_OK);
  assert_int_equal(les_safetensors_n_files(s), 2);
  assert_non_null(strstr(les_safetensors_file_path(s, 1), "model-00002-of-00002.safetensors"));
  const les_tensor *t = les_tensors_find(les_safetensors_tensors(s), "model.layers.3.mlp.down_proj.weight");
  assert_non_null(t);
  assert_string_equal(t->type_name, "F32");
  assert_int_equal(t->dims[0], 160);
  assert_int_equal(t->dims[1], 64);
  les_safetensors_close(&s);
  assert_null(s);
}

static void accepts_what_models_bring_along(void **state) {
  (void)state;
  assert_int_equal(open_header("{\"__metadata__\":{\"format\":\"pt\"},"
                               "\"a\":{\"dtype\":\"BOOL\",\"shape\":[1,1,2,2],\"data_offsets\":[0,4]},"
                               "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]},"
                               "\"c\":{\"dtype\":\"F16\",\"shape\":[0,3],\"data_offsets\":[8,8]}}   ",
                               8),
                   LES_OK);
}

static void refuses_broken_headers(void **state) {
  (void)state;
  assert_refused("[1]", 0, "no JSON object");
  assert_refused("{\"a\":", 0, "not valid JSON");
  assert_refused("{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype 'F33'");
  assert_refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype ''");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "no shape");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "out of range");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,6]}}", 6, "out of range");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[9e15,9e15],\"data_offsets\":[0,4]}}", 4,
                 "out of range");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
                 "no shape");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "data_offsets");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "data_offsets");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
                 "its shape and dtype need 8");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 4, "beyond the end");
  assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                 "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                 4, "tensor 'a' is there twice");
}

static void refuses_header_lengths_beyond_the_file(void **state) {
  (void)state;
  static const uint64_t lengths[] = {0, 1, 9, 1000, UINT64_MAX, UINT64_MAX - 7};
  les_safetensors *s;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    char bytes[16] = "........{}      ";
    memcpy(bytes, &lengths[i], sizeof lengths[i]);
    assert_int_equal(scratch_write(folder, "a.safetensors", bytes, sizeof bytes, path), 0);
    assert_int_equal(les_safetensors_open(&s, path), LES_FAILED);
    assert_message("does not fit the file");
  }
  for (size_t n = 0; n < 8; n++) {
    assert_int_equal(scratch_write(folder, "a.safetensors", "\2\0\0\0\0\0\0\0", n, path), 0);
    assert_int_equal(les_safetensors_open(&s, path), LES_FAILED);
  }
}

static void refuses_indexes_that_lead_astray(void **state) {
  (void)state;
  static const struct {
    const char *index, *words;
  } cases[] = {{"{\"weight_map\":{\"a\":\"../x.safetensors\"}}", "not in a file beside"},
               {"{\"weight_map\":{\"a\":7}}", "not in a file beside"},
               {"{\"weight_map\":{}}", "no weight_map"},
               {"{\"weight_map\":{\"a\":\"none.safetensors\"}}", "none.safetensors: cannot be opened"}};
  les_safetensors *s;
  unlink(path);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(
        scratch_write(folder, "model.safetensors.index.json", cases[i].index, strlen(cases[i].index), path),
        0);
    assert_int_equal(les_safetensors_open(&s, folder), LES_FAILED);
    assert_message(cases[i].words);
  }
  unlink(path);
  assert_int_equal(les_safetensors_open(&s, folder), LES_FAILED);
  assert_message("neither model.safetensors nor");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_shards),
      cmocka_unit_test(accepts_what_models_bring_along),
      cmocka_unit_test(refuses_broken_headers),
      cmocka_unit_test(refuses_header_lengths_beyond_the_file),
      cmocka_unit_test(refuses_indexes_that_lead_astray),
  };
  return cmocka_run_group_tests(tests, open_folder, close_folder);
}
