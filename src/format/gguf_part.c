#include "format/gguf_part.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 65535, NAME_MAX_BYTES = 65535, GGUF_MAX_DIMS = 4 };

/* The bytes not yet parsed. Every read goes through `take`, which checks the end. */
typedef struct cursor {
  const uint8_t *at, *end;
} cursor;

static size_t left(const cursor *c) {
  return (size_t)(c->end - c->at);
}

static const uint8_t *take(cursor *c, uint64_t n) {
  if (n > left(c)) return NULL;
  const uint8_t *p = c->at;
  c->at += n;
  return p;
}

static bool take_u32(cursor *c, uint32_t *v) {
  const uint8_t *p = take(c, sizeof *v);
  if (p) memcpy(v, p, sizeof *v);
  return p != NULL;
}

static bool take_u64(cursor *c, uint64_t *v) {
  const uint8_t *p = take(c, sizeof *v);
  if (p) memcpy(v, p, sizeof *v);
  return p != NULL;
}

static les_status cut_short(const char *what) {
  return les_fail(LES_FAILED, "the file ends inside %s; it is cut or damaged, copy it again", what);
}

/* A key or tensor name, stored as length and bytes, as a C string. */
static les_status take_name(cursor *c, const char *what, size_t max, char **out) {
  uint64_t n;
  *out = NULL;
  if (!take_u64(c, &n)) return cut_short(what);
  if (n == 0 || n > max)
    return les_fail(LES_FAILED, "%s of %" PRIu64 " bytes; the file is damaged, copy it again", what, n);
  const uint8_t *p = take(c, n);
  if (!p) return cut_short(what);
  if (memchr(p, 0, n)) return les_fail(LES_FAILED, "%s with a null byte; the file is damaged", what);
  *out = strndup((const char *)p, n);
  return *out ? LES_OK : les_no_memory("%s", what);
}

/* Bytes of a scalar type; 0 for strings, arrays and types that do not exist. */
static size_t scalar_bytes(les_gguf_type type) {
  switch (type) {
  case LES_GGUF_U8:
  case LES_GGUF_I8:
  case LES_GGUF_BOOL:
    return 1;
  case LES_GGUF_U16:
  case LES_GGUF_I16:
    return 2;
  case LES_GGUF_U32:
  case LES_GGUF_I32:
  case LES_GGUF_F32:
    return 4;
  case LES_GGUF_U64:
  case LES_GGUF_I64:
  case LES_GGUF_F64:
    return 8;
  default:
    return 0;
  }
}

/* The elements of a value. Strings are checked one by one, and indexed. */
static les_status take_items(cursor *c, les_gguf_value *v) {
  v->data = c->at;
  size_t size = scalar_bytes(v->item);
  if (size) {
    if (v->n > left(c) / size || !take(c, v->n * size))
      return les_fail(LES_FAILED, "'%s' has %" PRIu64 " elements, more than the file holds", v->key, v->n);
    return LES_OK;
  }
  if (v->n > left(c) / sizeof(uint64_t))
    return les_fail(LES_FAILED, "'%s' has %" PRIu64 " strings, more than the file holds", v->key, v->n);
  v->strings = malloc((v->n + 1) * sizeof *v->strings);
  if (!v->strings) return les_no_memory("the strings of '%s'", v->key);
  for (uint64_t i = 0; i < v->n; i++) {
    uint64_t bytes;
    v->strings[i] = c->at;
    if (!take_u64(c, &bytes) || !take(c, bytes)) return cut_short(v->key);
  }
  return LES_OK;
}

static les_status take_value(cursor *c, les_gguf_value *v) {
  uint32_t type;
  LES_TRY(take_name(c, "a metadata key", KEY_MAX, &v->key));
  v->begin = c->at;
  if (!take_u32(c, &type)) return cut_short(v->key);
  v->type = v->item = (les_gguf_type)type;
  v->n = 1;
  if (type == LES_GGUF_ARRAY) {
    if (!take_u32(c, &type) || !take_u64(c, &v->n)) return cut_short(v->key);
    v->item = (les_gguf_type)type;
  }
  if (!scalar_bytes(v->item) && v->item != LES_GGUF_STRING)
    return les_fail(LES_FAILED, "'%s' has values of type %" PRIu32 ", which GGUF does not define or nest",
                    v->key, type);
  LES_TRY(take_items(c, v));
  v->end = c->at;
  return LES_OK;
}

static int compare_values(const void *a, const void *b) {
  return strcmp(((const les_gguf_value *)a)->key, ((const les_gguf_value *)b)->key);
}

static les_status take_values(cursor *c, les_gguf_part *p, uint64_t n) {
  enum { SMALLEST = 8 + 1 + 4 + 1 }; /* key length, key, type, value */
  if (n > left(c) / SMALLEST || n > INT32_MAX)
    return les_fail(LES_FAILED, "%" PRIu64 " metadata keys, more than the file holds", n);
  p->values = calloc(n + 1, sizeof *p->values);
  if (!p->values) return les_no_memory("%" PRIu64 " metadata keys", n);
  for (p->n_values = 0; p->n_values < n;) LES_TRY(take_value(c, &p->values[p->n_values++]));
  qsort(p->values, p->n_values, sizeof *p->values, compare_values);
  for (size_t i = 1; i < p->n_values; i++)
    if (!strcmp(p->values[i - 1].key, p->values[i].key))
      return les_fail(LES_FAILED, "metadata key '%s' is there twice", p->values[i].key);
  return LES_OK;
}

/* Reads a tensor's description, and its offset into the data. */
static les_status take_tensor(cursor *c, les_tensor *t, uint64_t *offset) {
  char *name;
  uint32_t n_dims;
  LES_TRY(take_name(c, "a tensor name", NAME_MAX_BYTES, &name));
  t->name = name;
  if (!take_u32(c, &n_dims)) return cut_short(name);
  if (n_dims > GGUF_MAX_DIMS)
    return les_fail(LES_FAILED, "tensor '%s' has %" PRIu32 " dimensions, more than 4", name, n_dims);
  t->n_dims = (int)n_dims;
  for (int i = 0; i < LES_MAX_DIMS; i++) t->dims[i] = 1;
  uint64_t elements = 1;
  for (int i = 0; i < t->n_dims; i++) {
    uint64_t d;
    if (!take_u64(c, &d)) return cut_short(name);
    if (d == 0 || __builtin_mul_overflow(elements, d, &elements) || elements > INT64_MAX / 8)
      return les_fail(LES_FAILED, "tensor '%s' has dimension %d of %" PRIu64, name, i, d);
    t->dims[i] = (int64_t)d;
  }
  if (!take_u32(c, &t->type_id) || !take_u64(c, offset)) return cut_short(name);
  return LES_OK;
}

/* Sets t->data from the tensor's offset into `size` bytes of data. */
static les_status place_tensor(les_tensor *t, const uint8_t *data, size_t size, uint64_t offset,
                               uint64_t alignment) {
  if (offset % alignment)
    return les_fail(LES_FAILED, "tensor '%s' lies at %" PRIu64 ", which is not a multiple of %" PRIu64,
                    t->name, offset, alignment);
  const les_dtype_info *type = les_dtype_find(t->type_id);
  t->type_name = type ? type->name : "unknown";
  if (!type) return LES_OK;
  if (t->dims[0] % type->block_elements)
    return les_fail(LES_FAILED, "tensor '%s' has rows of %" PRId64 " elements, not whole blocks of %d (%s)",
                    t->name, t->dims[0], type->block_elements, type->name);
  size_t bytes = les_dtype_bytes(type->type, les_tensor_elements(t));
  if (offset > size || bytes > size - offset)
    return les_fail(LES_FAILED, "tensor '%s' lies beyond the end of the file; it is cut, copy it again",
                    t->name);
  t->data = data + offset;
  return LES_OK;
}

static les_status take_tensors(cursor *c, les_gguf_part *p, uint64_t n) {
  enum { SMALLEST = 8 + 1 + 4 + 4 + 8 }; /* name length, name, dimensions, type, offset */
  if (n > left(c) / SMALLEST || n > INT32_MAX)
    return les_fail(LES_FAILED, "%" PRIu64 " tensors, more than the file holds", n);
  int64_t alignment = LES_GGUF_ALIGNMENT;
  const les_gguf_value *key = les_gguf_part_find(p, "general.alignment");
  if (key && (key->type == LES_GGUF_ARRAY || !les_gguf_value_int(key, 0, &alignment) || alignment < 8 ||
              (alignment & (alignment - 1))))
    return les_fail(LES_FAILED, "general.alignment is not a power of two from 8");

  p->tensors = calloc(n + 1, sizeof *p->tensors);
  uint64_t *offsets = calloc(n + 1, sizeof *offsets);
  les_status status = LES_OK;
  if (!p->tensors || !offsets) {
    status = les_no_memory("%" PRIu64 " tensors", n);
    goto done;
  }
  for (; p->n_tensors < n; p->n_tensors++)
    LES_GOTO(status, take_tensor(c, &p->tensors[p->n_tensors], &offsets[p->n_tensors]), done);

  uint64_t header = (uint64_t)(c->at - p->file.data), a = (uint64_t)alignment;
  uint64_t start = (header + a - 1) / a * a;
  size_t size = start < p->file.size ? p->file.size - start : 0;
  const uint8_t *data = size ? p->file.data + start : NULL;
  for (size_t i = 0; i < n; i++)
    LES_GOTO(status, place_tensor(&p->tensors[i], data, size, offsets[i], a), done);
done:
  free(offsets);
  return status;
}

static les_status parse(les_gguf_part *p) {
  cursor c = {p->file.data, p->file.data + p->file.size};
  uint32_t version;
  uint64_t n_tensors, n_values;
  const uint8_t *magic = take(&c, 4);
  if (!magic || memcmp(magic, "GGUF", 4))
    return les_fail(LES_FAILED, "is not a GGUF file (it does not begin with \"GGUF\")");
  if (!take_u32(&c, &version)) return cut_short("the header");
  if (version != 2 && version != 3)
    return les_fail(LES_FAILED, "is of GGUF version %" PRIu32 "; 2 and 3, little-endian, can be read",
                    version);
  if (!take_u64(&c, &n_tensors) || !take_u64(&c, &n_values)) return cut_short("the header");
  LES_TRY(take_values(&c, p, n_values));
  return take_tensors(&c, p, n_tensors);
}

les_status les_gguf_part_init(les_gguf_part *out, const char *path) {
  *out = (les_gguf_part){0};
  LES_TRY(les_mapping_init(&out->file, path));
  out->path = strdup(path);
  les_status status = out->path ? parse(out) : les_no_memory("its path");
  if (status != LES_OK) {
    status = les_fail_in(status, "%s", path);
    les_gguf_part_free(out);
  }
  return status;
}

void les_gguf_part_free(les_gguf_part *p) {
  for (size_t i = 0; i < p->n_values; i++) {
    free(p->values[i].key);
    free(p->values[i].strings);
  }
  free(p->values);
  if (p->tensors) /* one more than n_tensors: the tensor that failed may have a name */
    for (size_t i = 0; i <= p->n_tensors; i++) free((char *)p->tensors[i].name);
  free(p->tensors);
  free(p->path);
  les_mapping_free(&p->file);
  *p = (les_gguf_part){0};
}

const les_gguf_value *les_gguf_part_find(const les_gguf_part *p, const char *key) {
  les_gguf_value wanted = {.key = (char *)key};
  return p->n_values ? bsearch(&wanted, p->values, p->n_values, sizeof wanted, compare_values) : NULL;
}

bool les_gguf_value_int(const les_gguf_value *v, uint64_t i, int64_t *out) {
  if (i >= v->n) return false;
  const uint8_t *p = v->data + i * scalar_bytes(v->item);
  switch (v->item) {
#define LES_INTEGER(TYPE, C_TYPE)                                                                            \
  case TYPE: {                                                                                               \
    C_TYPE x;                                                                                                \
    memcpy(&x, p, sizeof x);                                                                                 \
    return !__builtin_add_overflow(x, 0, out);                                                               \
  }
    LES_INTEGER(LES_GGUF_U8, uint8_t)
    LES_INTEGER(LES_GGUF_I8, int8_t)
    LES_INTEGER(LES_GGUF_U16, uint16_t)
    LES_INTEGER(LES_GGUF_I16, int16_t)
    LES_INTEGER(LES_GGUF_U32, uint32_t)
    LES_INTEGER(LES_GGUF_I32, int32_t)
    LES_INTEGER(LES_GGUF_U64, uint64_t)
    LES_INTEGER(LES_GGUF_I64, int64_t)
    LES_INTEGER(LES_GGUF_BOOL, uint8_t)
#undef LES_INTEGER
  default:
    return false;
  }
}

bool les_gguf_value_double(const les_gguf_value *v, uint64_t i, double *out) {
  int64_t integer;
  float single;
  if (i >= v->n) return false;
  if (v->item == LES_GGUF_F32) {
    memcpy(&single, v->data + i * sizeof single, sizeof single);
    *out = single;
    return true;
  }
  if (v->item == LES_GGUF_F64) {
    memcpy(out, v->data + i * sizeof *out, sizeof *out);
    return true;
  }
  if (!les_gguf_value_int(v, i, &integer)) return false;
  *out = (double)integer;
  return true;
}

bool les_gguf_value_string(const les_gguf_value *v, uint64_t i, const char **text, size_t *n) {
  if (i >= v->n || !v->strings) return false;
  uint64_t bytes;
  memcpy(&bytes, v->strings[i], sizeof bytes);
  *text = (const char *)v->strings[i] + sizeof bytes;
  *n = bytes;
  return true;
}
