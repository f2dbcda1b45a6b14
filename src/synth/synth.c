#include "synth/synth.h"

#include "base/file.h"
#include "base/path.h"
#include "format/gguf_type.h"
#include "synth/fill.h"
#include "synth/synth_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 }; /* elements made at a time; whole blocks of every type */

/* ---- the list of tensors ---- */

typedef struct lister {
  const les_synth *synth;
  const les_names *names;
  const char *prefix;
  bool hub; /* safetensors, else GGUF */
  les_synth_tensors *list;
} lister;

static les_status add(lister *l, int layer, const char *role, const char *suffix, les_synth_tensor t) {
  les_synth_tensors *list = l->list;
  les_synth_tensor *items = realloc(list->items, (size_t)(list->n + 1) * sizeof *items);
  if (!items) return les_no_memory("a list of %d tensors", list->n + 1);
  list->items = items;
  t.name = les_tensor_name_make(l->names, l->prefix, layer, role, suffix);
  const les_dtype_info *type = les_dtype_find(t.type);
  if (t.dims[0] % type->block_elements)
    return les_fail(LES_USAGE,
                    "tensor '%s' has rows of %" PRId64
                    " elements, not whole blocks of %d: choose another type than %s or another shape",
                    t.name.text, t.dims[0], type->block_elements, type->name);
  int64_t align = l->hub ? 1 : LES_GGUF_ALIGNMENT;
  t.bytes = les_dtype_bytes(t.type, t.dims[0] * (t.n_dims == 2 ? t.dims[1] : 1));
  t.offset = (list->bytes + (uint64_t)align - 1) / (uint64_t)align * (uint64_t)align;
  list->bytes = t.offset + t.bytes;
  list->items[list->n++] = t;
  return LES_OK;
}

static les_status add_vector(lister *l, int layer, const char *role, const char *suffix, int64_t n,
                             float mean, float deviation) {
  return add(l, layer, role, suffix,
             (les_synth_tensor){.n_dims = 1,
                                .dims = {n, 1},
                                .type = l->hub ? l->synth->type : LES_F32,
                                .mean = mean,
                                .deviation = deviation});
}

static les_status add_matrix(lister *l, int layer, const char *role, int64_t rows, int64_t cols, bool turn) {
  return add(l, layer, role, ".weight",
             (les_synth_tensor){.n_dims = 2,
                                .dims = {turn ? rows : cols, turn ? cols : rows},
                                .type = l->synth->type,
                                .deviation = l->synth->config->hparams.init_range});
}

static les_status add_norm(lister *l, int layer, const char *role, int64_t n) {
  const les_arch *arch = l->synth->config->arch;
  LES_TRY(add_vector(l, layer, role, ".weight", n, l->hub && arch->hub_norm_minus_one ? 0 : 1, 0.1f));
  return arch->norm == LES_LAYER_NORM ? add_vector(l, layer, role, ".bias", n, 0, 0.1f) : LES_OK;
}

static les_status add_linear(lister *l, int layer, const char *role, int64_t rows, int64_t cols, bool bias) {
  const les_config *c = l->synth->config;
  LES_TRY(add_matrix(l, layer, role, rows, cols, l->hub && c->arch->hub_transposed));
  return bias ? add_vector(l, layer, role, ".bias", rows, 0, c->hparams.init_range) : LES_OK;
}

static les_status add_layer(lister *l, int layer) {
  const les_config *c = l->synth->config;
  const les_hparams *s = &c->hparams;
  int64_t rows, cols;
  for (int id = 0; id < LES_N_NORM; id++)
    if (c->arch->norms >> id & 1)
      LES_TRY(add_norm(l, layer, l->names->norm[id], les_norm_size(s, (les_norm_id)id)));
  for (int id = 0; id < LES_N_LINEAR; id++) {
    bool bias = c->biases >> id & 1;
    if (id == LES_Q && c->arch->fused_qkv) {
      LES_TRY(add_linear(l, layer, l->names->qkv, les_q_dim(s) + 2 * les_kv_dim(s), s->n_embd, bias));
      id = LES_V;
    } else if (id == LES_GATE && c->arch->fused_gate_up) {
      LES_TRY(add_linear(l, layer, l->names->gate_up, 2 * (int64_t)s->n_ff, s->n_embd, bias));
      id = LES_UP;
    } else if (id != LES_GATE || s->gated) {
      les_linear_size(s, (les_linear_id)id, &rows, &cols);
      LES_TRY(add_linear(l, layer, l->names->linear[id], rows, cols, bias));
    }
  }
  return LES_OK;
}

/* GGUF stores Llama 3's rope scaling as a divisor for each pair: divisors (n_rope_pairs). */
static les_status add_divisors(lister *l, float *divisors) {
  const les_config *c = l->synth->config;
  int n = c->hparams.n_rope_pairs;
  double *plain = calloc((size_t)n, 2 * sizeof *plain), *scaled = plain + n;
  float magnitude;
  if (!plain) return les_no_memory("rope tables");
  les_rope_spec without = c->rope[0];
  without.scaling = LES_ROPE_PLAIN;
  les_rope_fill(&without, n, plain, &magnitude);
  les_rope_fill(&c->rope[0], n, scaled, &magnitude);
  for (int i = 0; i < n; i++) divisors[i] = (float)(plain[i] / scaled[i]);
  free(plain);
  return add(l, LES_NO_LAYER, "rope_freqs", ".weight",
             (les_synth_tensor){.n_dims = 1, .dims = {n, 1}, .type = LES_F32, .values = divisors});
}

static les_status list_tensors(lister *l, float *divisors) {
  const les_config *c = l->synth->config;
  const les_hparams *s = &c->hparams;
  LES_TRY(add_matrix(l, LES_NO_LAYER, l->names->tok_embd, s->n_vocab, s->n_embd, false));
  if (c->arch->learned_positions)
    LES_TRY(add_matrix(l, LES_NO_LAYER, l->names->pos_embd, s->n_ctx, s->n_embd, false));
  LES_TRY(add_norm(l, LES_NO_LAYER, l->names->output_norm, s->n_embd));
  if (!l->hub && c->rope[0].scaling == LES_ROPE_LLAMA3) LES_TRY(add_divisors(l, divisors));
  for (int i = 0; i < s->n_layers; i++) LES_TRY(add_layer(l, i));
  if (c->tied) return LES_OK;
  lister head = *l;
  head.prefix = ""; /* the names of outputs have theirs */
  return add_matrix(&head, LES_NO_LAYER, l->names->outputs[0], s->n_vocab, s->n_embd, false);
}

/* ---- the file ---- */

static les_status cannot_write(const char *path) {
  return les_fail(LES_FAILED, "%s: cannot be written: %s", path, strerror(errno));
}

/* Writes the elements of tensor number `number`, PIECE at a time. */
static les_status write_tensor(FILE *f, const char *path, const les_synth *s, const les_synth_tensor *t,
                               int number, char *piece) {
  if (t->values) return fwrite(t->values, 1, t->bytes, f) == t->bytes ? LES_OK : cannot_write(path);
  int64_t n = t->dims[0] * (t->n_dims == 2 ? t->dims[1] : 1);
  const les_dtype_info *type = les_dtype_find(t->type);
  const int64_t part = PIECE / 64;
  for (int64_t first = 0; first < n; first += PIECE) {
    int64_t m = n - first < PIECE ? n - first : PIECE;
#pragma omp parallel for
    for (int64_t i = 0; i < m; i += part)
      les_fill(t->type, s->seed, (uint32_t)number, first + i, m - i < part ? m - i : part, t->mean,
               t->deviation, piece + i / type->block_elements * type->block_bytes);
    size_t bytes = les_dtype_bytes(t->type, m);
    if (fwrite(piece, 1, bytes, f) != bytes) return cannot_write(path);
  }
  return LES_OK;
}

static les_status write_data(FILE *f, const char *path, const les_synth *s, const les_synth_tensors *list,
                             uint64_t start) {
  static const char zeros[LES_GGUF_ALIGNMENT];
  char *piece = malloc(PIECE * sizeof(float));
  if (!piece) return les_no_memory("the weights of %s", path);
  les_status status = LES_OK;
  uint64_t at = 0;
  for (int i = 0; i < list->n && status == LES_OK; i++) {
    const les_synth_tensor *t = &list->items[i];
    if (s->sparse) {
      if (t->values && fseeko(f, (off_t)(start + t->offset), SEEK_SET) == 0)
        status = write_tensor(f, path, s, t, i, piece);
      continue;
    }
    size_t gap = t->offset - at;
    if (fwrite(zeros, 1, gap, f) != gap) status = cannot_write(path);
    if (status == LES_OK) status = write_tensor(f, path, s, t, i, piece);
    at = t->offset + t->bytes;
  }
  if (status == LES_OK && (fflush(f) != 0 || ftruncate(fileno(f), (off_t)(start + list->bytes)) != 0))
    status = cannot_write(path);
  free(piece);
  return status;
}

static les_status write_file(const char *path, const les_synth *s, bool hub) {
  const les_config *c = s->config;
  les_synth_tensors list = {0};
  les_buffer header = {0};
  FILE *f = NULL;
  float *divisors = calloc((size_t)c->hparams.n_rope_pairs + 1, sizeof *divisors);
  les_status status = divisors ? LES_OK : les_no_memory("the rope factors of %s", path);
  if (status != LES_OK) goto done;
  const les_names *names = hub ? c->arch->hub : &les_gguf_names;
  lister l = {s, names, names->prefixes[0], hub, &list};
  LES_GOTO(status, list_tensors(&l, divisors), done);
  LES_GOTO(status, hub ? les_synth_hub_header(&list, &header) : les_synth_gguf_header(s, &list, &header),
           done);
  LES_GOTO(status, les_file_check_folder(path), done);
  f = fopen(path, "wb");
  if (!f || fwrite(header.data, 1, header.n, f) != header.n) {
    status = cannot_write(path);
    goto done;
  }
  status = write_data(f, path, s, &list, header.n);
done:
  if (f && fclose(f) != 0 && status == LES_OK) status = cannot_write(path);
  if (f && status != LES_OK) unlink(path);
  les_buffer_free(&header);
  free(list.items);
  free(divisors);
  return status;
}

static les_status write_folder(const char *folder, const les_synth *s) {
  if (s->type != LES_F32 && s->type != LES_F16 && s->type != LES_BF16)
    return les_fail(LES_USAGE, "safetensors files hold F32, F16 and BF16, not %s; write a .gguf file",
                    les_dtype_find(s->type)->name);
  if (mkdir(folder, 0777) != 0 && errno != EEXIST) return cannot_write(folder);
  LES_TRY(les_synth_hub_settings(s, folder));
  char *path = les_path_join(folder, "model.safetensors");
  if (!path) return les_no_memory("the name of a file in %s", folder);
  les_status status = write_file(path, s, true);
  free(path);
  return status;
}

les_status les_synth_write(const char *path, const les_synth *s) {
  if (!les_path_has_suffix(path, ".gguf")) return write_folder(path, s);
  if (!s->config->arch->gguf)
    return les_fail(LES_USAGE, "GGUF has no architecture %s; write a folder (a path without .gguf)",
                    s->config->arch->name);
  return write_file(path, s, false);
}
