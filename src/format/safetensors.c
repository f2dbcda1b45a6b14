#include "format/safetensors.h"

#include "base/json.h"
#include "base/mapping.h"
#include "base/path.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct shard {
  char *path;
  les_mapping file;
} shard;

struct les_safetensors {
  shard *shards; /* (n_shards) */
  int n_shards;
  les_tensors tensors;
};

enum { HEADER_MAX = 100000000, UNREADABLE = UINT16_MAX };

/* Element types of the format. UNREADABLE ones occur only in buffers that have no effect here. */
static const struct {
  const char *name;
  int bytes;
  uint32_t type_id;
} types[] = {{"F32", 4, LES_F32},       {"F16", 2, LES_F16},        {"BF16", 2, LES_BF16},
             {"F64", 8, UNREADABLE},    {"I64", 8, UNREADABLE},     {"U64", 8, UNREADABLE},
             {"I32", 4, UNREADABLE},    {"U32", 4, UNREADABLE},     {"I16", 2, UNREADABLE},
             {"U16", 2, UNREADABLE},    {"I8", 1, UNREADABLE},      {"U8", 1, UNREADABLE},
             {"BOOL", 1, UNREADABLE},   {"F8_E4M3", 1, UNREADABLE}, {"F8_E5M2", 1, UNREADABLE},
             {"F8_E8M0", 1, UNREADABLE}};
enum { n_types = sizeof types / sizeof types[0] };

/* An integer from 0 to 2^53. */
static bool whole(const cJSON *item, int64_t *out) {
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 0x1p53)) return false;
  *out = (int64_t)item->valuedouble;
  return item->valuedouble == floor(item->valuedouble);
}

static les_status read_shape(const cJSON *shape, les_tensor *t, int64_t *elements) {
  int n = cJSON_IsArray(shape) ? cJSON_GetArraySize(shape) : -1;
  if (n < 0 || n > LES_MAX_DIMS)
    return les_fail(LES_FAILED, "tensor '%s' has no shape of at most %d dimensions", t->name, LES_MAX_DIMS);
  for (int i = 0; i < LES_MAX_DIMS; i++) t->dims[i] = 1;
  t->n_dims = n;
  *elements = 1;
  const cJSON *d;
  cJSON_ArrayForEach(d, shape) {
    int64_t *dim = &t->dims[--n];
    if (!whole(d, dim) || __builtin_mul_overflow(*elements, *dim, elements) || *elements > INT64_MAX / 8)
      return les_fail(LES_FAILED, "tensor '%s' has a shape that is out of range", t->name);
  }
  return LES_OK;
}

static les_status read_tensor(const cJSON *item, const uint8_t *data, size_t size, les_tensor *t) {
  const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
  const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
  int64_t begin, end, elements = 0;
  t->name = strdup(item->string);
  if (!t->name) return les_no_memory("tensor '%s'", item->string);
  int type = 0;
  while (type < n_types && !(cJSON_IsString(dtype) && !strcmp(types[type].name, dtype->valuestring))) type++;
  if (type == n_types)
    return les_fail(LES_FAILED, "tensor '%s' has dtype '%s', which is not known", t->name,
                    cJSON_IsString(dtype) ? dtype->valuestring : "");
  LES_TRY(read_shape(cJSON_GetObjectItemCaseSensitive(item, "shape"), t, &elements));
  if (cJSON_GetArraySize(offsets) != 2 || !whole(cJSON_GetArrayItem(offsets, 0), &begin) ||
      !whole(cJSON_GetArrayItem(offsets, 1), &end) || begin > end)
    return les_fail(LES_FAILED, "tensor '%s' has no valid data_offsets", t->name);
  if ((uint64_t)end > size)
    return les_fail(LES_FAILED, "tensor '%s' lies beyond the end of the file; it is cut, copy it again",
                    t->name);
  if (end - begin != elements * types[type].bytes)
    return les_fail(LES_FAILED, "tensor '%s' has %" PRId64 " bytes, but its shape and dtype need %" PRId64,
                    t->name, end - begin, elements * types[type].bytes);
  t->type_name = types[type].name;
  t->type_id = types[type].type_id;
  t->data = t->type_id == UNREADABLE || elements == 0 ? NULL : data + begin;
  return LES_OK;
}

/* Adds the tensors of a header to the table. */
static les_status read_header(les_tensors *tensors, const cJSON *header, const uint8_t *data, size_t size) {
  if (!cJSON_IsObject(header)) return les_fail(LES_FAILED, "the header is no JSON object");
  les_tensor *items =
      realloc(tensors->items, ((size_t)tensors->n + (size_t)cJSON_GetArraySize(header) + 1) * sizeof *items);
  if (!items) return les_no_memory("its tensors");
  tensors->items = items;
  const cJSON *item;
  cJSON_ArrayForEach(item, header) {
    if (!strcmp(item->string, "__metadata__")) continue;
    tensors->items[tensors->n] = (les_tensor){0};
    LES_TRY(read_tensor(item, data, size, &tensors->items[tensors->n++]));
  }
  return LES_OK;
}

/* Maps shard `s` and reads its header. */
static les_status read_shard(les_tensors *tensors, shard *s) {
  LES_TRY(les_mapping_init(&s->file, s->path));
  uint64_t n = 0;
  size_t left = s->file.size < sizeof n ? 0 : s->file.size - sizeof n;
  if (left > 0) memcpy(&n, s->file.data, sizeof n);
  if (n < 2 || n > left || n > HEADER_MAX)
    return les_fail(LES_FAILED,
                    "%s: a header of %" PRIu64
                    " bytes does not fit the file; it is cut or no safetensors file",
                    s->path, n);
  char *text = strndup((const char *)s->file.data + sizeof n, n);
  if (!text) return les_no_memory("the header of %s", s->path);
  cJSON *header;
  les_status status = les_json_parse(&header, text, strlen(text), (les_json_source){s->path, 1});
  if (status == LES_OK) {
    status = read_header(tensors, header, s->file.data + sizeof n + n, left - n);
    if (status != LES_OK) status = les_fail_in(status, "%s", s->path);
  }
  cJSON_Delete(header);
  free(text);
  return status;
}

static les_status add_shard(les_safetensors *s, char *path) {
  shard *shards = path ? realloc(s->shards, (size_t)(s->n_shards + 1) * sizeof *shards) : NULL;
  if (!shards) return free(path), les_no_memory("a list of files");
  s->shards = shards;
  s->shards[s->n_shards++] = (shard){.path = path};
  return LES_OK;
}

static int compare_shards(const void *a, const void *b) {
  return strcmp(((const shard *)a)->path, ((const shard *)b)->path);
}

/* Lists the files of an index, each once, sorted by name. */
static les_status list_shards(les_safetensors *s, const char *dir, const char *index_path,
                              const cJSON *index) {
  const cJSON *map = cJSON_GetObjectItemCaseSensitive(index, "weight_map"), *item;
  if (!cJSON_IsObject(map) || !map->child) return les_fail(LES_FAILED, "%s: has no weight_map", index_path);
  const char *last = "";
  cJSON_ArrayForEach(item, map) {
    if (!cJSON_IsString(item) || !*item->valuestring || strchr(item->valuestring, '/'))
      return les_fail(LES_FAILED, "%s: tensor '%s' is not in a file beside the index", index_path,
                      item->string);
    if (!strcmp(item->valuestring, last)) continue;
    last = item->valuestring;
    bool known = false;
    for (int i = 0; i < s->n_shards && !known; i++)
      known = !strcmp(s->shards[i].path + strlen(dir) + 1, last);
    if (!known) LES_TRY(add_shard(s, les_path_join(dir, last)));
  }
  qsort(s->shards, (size_t)s->n_shards, sizeof *s->shards, compare_shards);
  return LES_OK;
}

/* Every tensor of the index must be in some shard. */
static les_status check_index(const les_safetensors *s, const char *index_path, const cJSON *index) {
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(index, "weight_map")) {
    if (!les_tensors_find(&s->tensors, item->string))
      return les_fail(LES_FAILED, "%s: tensor '%s' is not in %s", index_path, item->string,
                      item->valuestring);
  }
  return LES_OK;
}

static les_status read_shards(les_safetensors *s, const char *path) {
  for (int i = 0; i < s->n_shards; i++) LES_TRY(read_shard(&s->tensors, &s->shards[i]));
  les_status status = les_tensors_sort(&s->tensors);
  return status == LES_OK ? status : les_fail_in(status, "%s", path);
}

static les_status open_directory(les_safetensors *s, const char *dir) {
  char *single = les_path_join(dir, "model.safetensors");
  char *index_path = les_path_join(dir, "model.safetensors.index.json");
  cJSON *index = NULL;
  les_status status;
  if (!single || !index_path) {
    status = les_no_memory("the names of files in %s", dir);
  } else if (access(single, F_OK) == 0) {
    LES_GOTO(status, add_shard(s, strdup(single)), done);
    status = read_shards(s, dir);
  } else if (access(index_path, F_OK) == 0) {
    LES_GOTO(status, les_json_read(&index, index_path), done);
    LES_GOTO(status, list_shards(s, dir, index_path, index), done);
    LES_GOTO(status, read_shards(s, dir), done);
    status = check_index(s, index_path, index);
  } else {
    status = les_fail(
        LES_FAILED,
        "%s: holds neither model.safetensors nor model.safetensors.index.json; give a model's folder or "
        "a .gguf file",
        dir);
  }
done:
  cJSON_Delete(index);
  free(single);
  free(index_path);
  return status;
}

les_status les_safetensors_open(les_safetensors **out, const char *path) {
  *out = NULL;
  les_safetensors *s = calloc(1, sizeof *s);
  if (!s) return les_no_memory("the tables of %s", path);
  struct stat st;
  les_status status;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
    status = open_directory(s, path);
  } else {
    status = add_shard(s, strdup(path));
    if (status == LES_OK) status = read_shards(s, path);
  }
  if (status == LES_OK)
    *out = s;
  else
    les_safetensors_close(&s);
  return status;
}

void les_safetensors_close(les_safetensors **s) {
  if (!*s) return;
  for (int i = 0; i < (*s)->n_shards; i++) {
    free((*s)->shards[i].path);
    les_mapping_free(&(*s)->shards[i].file);
  }
  free((*s)->shards);
  les_tensors_free(&(*s)->tensors);
  free(*s);
  *s = NULL;
}

const les_tensors *les_safetensors_tensors(const les_safetensors *s) {
  return &s->tensors;
}

int les_safetensors_n_files(const les_safetensors *s) {
  return s->n_shards;
}

const char *les_safetensors_file_path(const les_safetensors *s, int i) {
  return s->shards[i].path;
}
