#include "model/bind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct binder {
  les_model *model;
  const les_config *config;
  const les_arch *arch;
  const les_tensors *tensors;
  bool *used; /* (tensors->n) tensors that have been bound to a role */
  const les_names *names;
  const char *prefix;
  bool hub;
  les_owned *owned;
} binder;

void *les_owned_alloc(les_owned *o, size_t n, size_t size) {
  void **items = realloc(o->items, (size_t)(o->n + 1) * sizeof *items);
  if (!items) return NULL;
  o->items = items;
  void *p = calloc(n, size);
  if (p) o->items[o->n++] = p;
  return p;
}

void les_owned_free(les_owned *o) {
  for (int i = 0; i < o->n; i++) free(o->items[i]);
  free(o->items);
  *o = (les_owned){0};
}

static les_tensor_name name_of(const binder *b, int layer, const char *role, const char *suffix) {
  return les_tensor_name_make(b->names, b->prefix, layer, role, suffix);
}

/* Finds a tensor by its full name and marks it as used; NULL: not in the file. */
static const les_tensor *take(binder *b, const char *full) {
  const les_tensor *t = les_tensors_find(b->tensors, full);
  if (t) b->used[t - b->tensors->items] = true;
  return t;
}

static les_status check_tensor(const les_tensor *t, int64_t rows, int64_t cols) {
  bool vector = rows == 0;
  if (t->n_dims != (vector ? 1 : 2) || t->dims[0] != cols || (!vector && t->dims[1] != rows)) {
    if (vector)
      return les_fail(LES_FAILED,
                      "tensor '%s' has %d dimensions, the first %" PRId64 "; expected %" PRId64 " elements",
                      t->name, t->n_dims, t->dims[0], cols);
    return les_fail(LES_FAILED,
                    "tensor '%s' is %" PRId64 " x %" PRId64 " (%d dimensions); expected %" PRId64
                    " x %" PRId64,
                    t->name, t->dims[1], t->dims[0], t->n_dims, rows, cols);
  }
  if (!t->data)
    return les_fail(LES_FAILED, "tensor '%s' has weight type %s (%" PRIu32 "), which is not supported",
                    t->name, t->type_name, t->type_id);
  return LES_OK;
}

static les_status missing(const binder *b, const char *full) {
  return les_fail(LES_FAILED, "tensor '%s' is missing; architecture %s needs it", full, b->arch->name);
}

static les_status no_memory(const char *full) {
  return les_no_memory("a copy of tensor '%s'", full);
}

/* A norm scale or bias of n elements, converted to f32; NULL if it is optional and not in the file. */
static les_status take_vector(binder *b, les_tensor_name full, int64_t n, bool required, float add,
                              const float **out) {
  const les_tensor *t = take(b, full.text);
  *out = NULL;
  if (!t) return required ? missing(b, full.text) : LES_OK;
  LES_TRY(check_tensor(t, 0, n));
  float *values = les_owned_alloc(b->owned, (size_t)n, sizeof *values);
  if (!values) return no_memory(full.text);
  les_dequantize(t->type_id, t->data, n, values);
  if (add != 0)
    for (int64_t i = 0; i < n; i++) values[i] += add;
  *out = values;
  return LES_OK;
}

/* Bytes of an element of an unquantized type; 0 for a quantized one. */
static size_t element_bytes(const les_dtype_info *type) {
  return type->block_elements == 1 ? (size_t)type->block_bytes : 0;
}

/* Copies a matrix that the file holds as (cols, rows) to (rows, cols). */
static les_status transpose(binder *b, const les_tensor *t, les_matrix *m) {
  size_t size = element_bytes(les_dtype_find(t->type_id));
  if (!size)
    return les_fail(LES_FAILED, "tensor '%s' has weight type %s, which cannot be transposed", t->name,
                    t->type_name);
  size_t rows = (size_t)m->rows, cols = (size_t)m->cols;
  char *copy = les_owned_alloc(b->owned, rows * cols, size);
  if (!copy) return no_memory(t->name);
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < cols; c++)
      memcpy(copy + (r * cols + c) * size, (const char *)t->data + (c * rows + r) * size, size);
  m->data = copy;
  return LES_OK;
}

/* Tensors of safetensors files may start at any byte, but kernels read aligned elements: copies if need be.
 */
static les_status align(binder *b, const les_tensor *t, les_matrix *m) {
  size_t size = element_bytes(les_dtype_find(t->type_id));
  m->data = t->data;
  if (!size || (uintptr_t)t->data % size == 0) return LES_OK;
  void *copy = les_owned_alloc(b->owned, (size_t)(m->rows * m->cols), size);
  if (!copy) return no_memory(t->name);
  m->data = memcpy(copy, t->data, (size_t)(m->rows * m->cols) * size);
  return LES_OK;
}

/* rows 0: as many as the tensor has. `transposed`: the file holds it as (cols, rows). */
static les_status take_matrix(binder *b, les_tensor_name full, int64_t rows, int64_t cols, bool transposed,
                              les_matrix *m) {
  const les_tensor *t = take(b, full.text);
  if (!t) return missing(b, full.text);
  if (rows == 0 && t->n_dims == 2) rows = t->dims[1];
  LES_TRY(transposed ? check_tensor(t, cols, rows) : check_tensor(t, rows, cols));
  *m = (les_matrix){.type = t->type_id, .rows = rows, .cols = cols};
  return transposed ? transpose(b, t, m) : align(b, t, m);
}

static les_status take_norm(binder *b, les_tensor_name scale, les_tensor_name bias, int64_t n,
                            les_norm *out) {
  bool minus_one = b->hub && b->arch->hub_norm_minus_one;
  LES_TRY(take_vector(b, scale, n, true, minus_one ? 1 : 0, &out->scale));
  return take_vector(b, bias, n, b->arch->norm == LES_LAYER_NORM, 0, &out->bias);
}

/* Rows [first, first + rows) of a fused matrix and its bias. */
static les_linear slice(const les_linear *fused, int64_t first, int64_t rows) {
  les_linear s = *fused;
  s.w.data = (const char *)fused->w.data + les_dtype_bytes(fused->w.type, fused->w.cols) * (size_t)first;
  s.w.rows = rows;
  if (fused->bias) s.bias = fused->bias + first;
  return s;
}

static les_status take_linear(binder *b, int layer, const char *role, int64_t rows, int64_t cols, bool bias,
                              les_linear *out) {
  bool transposed = b->hub && b->arch->hub_transposed;
  LES_TRY(take_matrix(b, name_of(b, layer, role, ".weight"), rows, cols, transposed, &out->w));
  return take_vector(b, name_of(b, layer, role, ".bias"), rows, bias, 0, &out->bias);
}

static les_status bind_linears(binder *b, int layer, les_layer *l) {
  const les_hparams *s = &b->config->hparams;
  const int64_t q = les_q_dim(s), kv = les_kv_dim(s);
  int64_t rows, cols;
  les_linear fused;
  for (int id = 0; id < LES_N_LINEAR; id++) {
    bool bias = b->config->biases >> id & 1;
    if (id == LES_Q && b->arch->fused_qkv) {
      LES_TRY(take_linear(b, layer, b->names->qkv, q + 2 * kv, s->n_embd, bias, &fused));
      l->linear[LES_Q] = slice(&fused, 0, q);
      l->linear[LES_K] = slice(&fused, q, kv);
      l->linear[LES_V] = slice(&fused, q + kv, kv);
      id = LES_V;
    } else if (id == LES_GATE && b->arch->fused_gate_up) {
      LES_TRY(take_linear(b, layer, b->names->gate_up, 2 * (int64_t)s->n_ff, s->n_embd, bias, &fused));
      l->linear[LES_GATE] = slice(&fused, 0, s->n_ff);
      l->linear[LES_UP] = slice(&fused, s->n_ff, s->n_ff);
      id = LES_UP;
    } else if (id != LES_GATE || s->gated) {
      les_linear_size(s, (les_linear_id)id, &rows, &cols);
      LES_TRY(take_linear(b, layer, b->names->linear[id], rows, cols, bias, &l->linear[id]));
    }
  }
  return LES_OK;
}

static les_status bind_layer(binder *b, int layer, les_layer *l) {
  const les_hparams *s = &b->config->hparams;
  LES_TRY(bind_linears(b, layer, l));
  for (int id = 0; id < LES_N_NORM; id++) {
    if (!(b->arch->norms >> id & 1)) continue;
    const char *role = b->names->norm[id];
    LES_TRY(take_norm(b, name_of(b, layer, role, ".weight"), name_of(b, layer, role, ".bias"),
                      les_norm_size(s, (les_norm_id)id), &l->norm[id]));
  }
  bool sliding = b->config->sliding[layer];
  l->window = sliding ? b->config->window : 0;
  l->rope = sliding;
  return LES_OK;
}

static les_status bind_rope(binder *b) {
  const les_hparams *s = &b->config->hparams;
  const float *divisors = NULL;
  if (s->n_rope_pairs == 0) return LES_OK;
  if (!b->hub)
    LES_TRY(take_vector(b, name_of(b, LES_NO_LAYER, "rope_freqs", ".weight"), s->n_rope_pairs, false, 0,
                        &divisors));
  for (int t = 0; t < 2; t++) {
    double *freq = les_owned_alloc(b->owned, (size_t)s->n_rope_pairs, sizeof *freq);
    if (!freq) return les_no_memory("rope tables");
    les_rope_fill(&b->config->rope[t], s->n_rope_pairs, freq, &b->model->rope[t].magnitude);
    for (int i = 0; divisors && i < s->n_rope_pairs; i++) {
      if (!(divisors[i] > 0))
        return les_fail(LES_FAILED, "tensor 'rope_freqs.weight' holds %g; it must be above 0",
                        (double)divisors[i]);
      freq[i] /= (double)divisors[i];
    }
    b->model->rope[t].freq = freq;
  }
  return LES_OK;
}

/* Finds the prefix of names, and binds what is outside the layers: embeddings, final norm and output. */
static les_status bind_embeddings(binder *b) {
  les_model *m = b->model;
  les_hparams *s = &m->hparams;
  const char *const *p = b->names->prefixes;
  for (b->prefix = *p; *p; p++) {
    b->prefix = *p;
    if (les_tensors_find(b->tensors, name_of(b, LES_NO_LAYER, b->names->tok_embd, ".weight").text)) break;
  }
  if (!*p) b->prefix = b->names->prefixes[0];
  LES_TRY(take_matrix(b, name_of(b, LES_NO_LAYER, b->names->tok_embd, ".weight"), s->n_vocab, s->n_embd,
                      false, &m->tok_embd));
  if (m->tok_embd.rows > INT32_MAX)
    return les_fail(LES_FAILED, "a vocabulary of %" PRId64 " tokens is too large", m->tok_embd.rows);
  s->n_vocab = (int)m->tok_embd.rows;
  if (b->arch->learned_positions)
    LES_TRY(take_matrix(b, name_of(b, LES_NO_LAYER, b->names->pos_embd, ".weight"), s->n_ctx, s->n_embd,
                        false, &m->pos_embd));
  LES_TRY(take_norm(b, name_of(b, LES_NO_LAYER, b->names->output_norm, ".weight"),
                    name_of(b, LES_NO_LAYER, b->names->output_norm, ".bias"), s->n_embd, &m->output_norm));
  /* an output matrix in the file is used even if the configuration says tied: it is the better source */
  les_tensor_name head = {""};
  for (p = b->names->outputs; *p; p++) {
    snprintf(head.text, sizeof head.text, "%s.weight", *p);
    if (les_tensors_find(b->tensors, head.text))
      return take_matrix(b, head, s->n_vocab, s->n_embd, false, &m->output);
  }
  m->output = m->tok_embd;
  return b->config->tied
             ? LES_OK
             : les_fail(
                   LES_FAILED,
                   "tensor '%s.weight' is missing, and the settings do not tie it to the token embedding",
                   b->names->outputs[0]);
}

static les_status check_all_used(const binder *b) {
  for (int i = 0; i < b->tensors->n; i++)
    if (!b->used[i] && !les_arch_ignores(b->tensors->items[i].name))
      return les_fail(LES_FAILED, "tensor '%s' has no place in architecture %s as it is known here",
                      b->tensors->items[i].name, b->arch->name);
  return LES_OK;
}

les_status les_model_bind(les_model *m, const les_config *c, const les_tensors *tensors, bool hub,
                          les_owned *owned) {
  binder b = {.model = m, .config = c, .arch = c->arch, .tensors = tensors, .hub = hub, .owned = owned};
  b.names = hub ? c->arch->hub : &les_gguf_names;
  les_status status;
  m->arch = c->arch->name;
  m->hparams = c->hparams;
  m->layers = les_owned_alloc(owned, (size_t)c->hparams.n_layers, sizeof *m->layers);
  b.used = calloc((size_t)tensors->n + 1, sizeof *b.used);
  if (!m->layers || !b.used) {
    status = les_no_memory("the table of %d layers", c->hparams.n_layers);
    goto done;
  }
  LES_GOTO(status, bind_embeddings(&b), done);
  for (int i = 0; i < c->hparams.n_layers; i++) LES_GOTO(status, bind_layer(&b, i, &m->layers[i]), done);
  LES_GOTO(status, bind_rope(&b), done);
  status = check_all_used(&b);
done:
  free(b.used);
  return status;
}
