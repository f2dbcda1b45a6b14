/* Weight types against vectors made with gguf-py: unpacked and packed values are equal to the bit. */
#include "kernels/kernels.h"
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the four headers above
#include <cmocka.h>

static cJSON *read_json(const char *path) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  assert_non_null(text);
  assert_int_equal(fread(text, 1, (size_t)size, file), size);
  text[size] = 0;
  fclose(file);
  cJSON *json = cJSON_Parse(text);
  free(text);
  assert_non_null(json);
  return json;
}

static uint32_t digit_of(char c) {
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return c == '=' ? 0 : (uint32_t)(strchr(DIGITS, c) - DIGITS);
}

/* The bytes of a base64 string; *n is their number. The caller frees them. */
static uint8_t *decode_base64(const cJSON *item, size_t *n) {
  const char *text = cJSON_GetStringValue(item);
  assert_non_null(text);
  size_t length = strlen(text);
  uint8_t *bytes = malloc(length / 4 * 3 + 1);
  assert_non_null(bytes);
  for (size_t i = 0; i < length; i += 4) {
    uint32_t word = digit_of(text[i]) << 18 | digit_of(text[i + 1]) << 12 | digit_of(text[i + 2]) << 6 |
                    digit_of(text[i + 3]);
    for (size_t j = 0; j < 3; j++) bytes[i / 4 * 3 + j] = (uint8_t)(word >> (16 - 8 * j));
  }
  *n = length / 4 * 3 - (size_t)(text[length - 1] == '=') - (size_t)(text[length - 2] == '=');
  return bytes;
}

static void test_unpack_equals_vectors(void **state) {
  (void)state;
  cJSON *json = read_json(TEST_DATA "/kernels/quant_vectors.json");
  int types = 0;
  for (const cJSON *v = cJSON_GetObjectItem(json, "vectors")->child; v; v = v->next, types++) {
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(v, "type"));
    const les_dtype_info *info = les_dtype_by_name(name);
    assert_non_null(info);
    size_t n_bytes;
    uint8_t *bytes = decode_base64(cJSON_GetObjectItem(v, "bytes_base64"), &n_bytes);
    const cJSON *values = cJSON_GetObjectItem(v, "values");
    int n = cJSON_GetArraySize(values);
    assert_int_equal(les_dtype_bytes(info->type, n), n_bytes);
    float *unpacked = malloc((size_t)n * sizeof *unpacked);
    assert_non_null(unpacked);
    les_dequantize(info->type, bytes, n, unpacked);
    int i = 0;
    for (const cJSON *value = values->child; value; value = value->next, i++)
      if (unpacked[i] != (float)value->valuedouble)
        fail_msg("%s[%d]: %.9g, expected %.9g", name, i, (double)unpacked[i], value->valuedouble);
    free(unpacked);
    free(bytes);
  }
  assert_int_equal(types, 24);
  cJSON_Delete(json);
}

static void test_pack_equals_vectors(void **state) {
  (void)state;
  cJSON *json = read_json(TEST_DATA "/kernels/pack_vectors.json");
  size_t n_bytes;
  float *values = (float *)decode_base64(cJSON_GetObjectItem(json, "values"), &n_bytes);
  int64_t n = (int64_t)(n_bytes / sizeof *values);
  for (const cJSON *v = cJSON_GetObjectItem(json, "packed")->child; v; v = v->next) {
    const les_dtype_info *info = les_dtype_by_name(v->string);
    assert_non_null(info);
    uint8_t *expected = decode_base64(v, &n_bytes);
    uint8_t *packed = malloc(n_bytes);
    assert_non_null(packed);
    assert_true(les_quantize(info->type, values, n, packed));
    assert_int_equal(les_dtype_bytes(info->type, n), n_bytes);
    assert_memory_equal(packed, expected, n_bytes);
    free(packed);
    free(expected);
  }
  free(values);
  cJSON_Delete(json);
}

static void test_pack_keeps_f32_and_refuses_others(void **state) {
  (void)state;
  float x[256] = {1.5f, -2.0f}, y[256] = {0};
  assert_true(les_quantize(LES_F32, x, 256, y));
  assert_memory_equal(x, y, sizeof x);
  assert_false(les_quantize(LES_Q4_K, x, 256, y));
}

/* Every finite 16-bit float survives the way to f32 and back, and the halfway cases go to the even side. */
static void test_half_round_trip(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 65536; bits++) {
    uint16_t half = (uint16_t)bits, back;
    float value;
    if ((bits & 0x7c00) != 0x7c00) {
      les_dequantize(LES_F16, &half, 1, &value);
      assert_true(les_quantize(LES_F16, &value, 1, &back));
      assert_int_equal(back, half);
    }
    if ((bits & 0x7f80) != 0x7f80) {
      les_dequantize(LES_BF16, &half, 1, &value);
      assert_true(les_quantize(LES_BF16, &value, 1, &back));
      assert_int_equal(back, half);
    }
  }
  const float values[] = {0x1.002p0f, 0x1.006p0f, 65519.0f, 65520.0f, 0x1p-25f, 0x1.8p-24f, 0x1.000002p-25f};
  const uint16_t expected[] = {0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 2, 1};
  uint16_t packed[7];
  assert_true(les_quantize(LES_F16, values, 7, packed));
  assert_memory_equal(packed, expected, sizeof expected);
}

static void test_broken_values_pack_without_harm(void **state) {
  (void)state;
  float x[32], y[32];
  uint8_t packed[64];
  const les_dtype types[] = {LES_Q4_0, LES_Q4_1, LES_Q5_0, LES_Q5_1, LES_Q8_0};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (int kind = 0; kind < 4; kind++) {
      for (int i = 0; i < 32; i++) x[i] = (float)i - 16.0f;
      x[3] = kind == 0   ? __builtin_nanf("")
             : kind == 1 ? __builtin_inff()
             : kind == 2 ? -__builtin_inff()
                         : 3e38f;
      x[5] = kind == 3 ? -3e38f : x[5];
      assert_true(les_quantize(types[t], x, 32, packed));
      les_dequantize(types[t], packed, 32, y);
    }
}

static void test_types_are_found(void **state) {
  (void)state;
  assert_string_equal(les_dtype_find(12)->name, "Q4_K");
  assert_int_equal(les_dtype_by_name("q6_k")->type, LES_Q6_K);
  assert_null(les_dtype_find(4));
  assert_null(les_dtype_find(UINT32_MAX));
  assert_null(les_dtype_by_name("Q9_9"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unpack_equals_vectors),
      cmocka_unit_test(test_pack_equals_vectors),
      cmocka_unit_test(test_pack_keeps_f32_and_refuses_others),
      cmocka_unit_test(test_half_round_trip),
      cmocka_unit_test(test_broken_values_pack_without_harm),
      cmocka_unit_test(test_types_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
